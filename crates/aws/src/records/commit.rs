//! Commits: one request, or a transaction.

use super::Table;
use super::condition::{self, Expression};
use super::item::{self, Item};
use super::request::{self, Action, Request};
use crate::failure::unavailable;
use crate::table::NONCE;
use attune_ports::records::{Commit, Error};
use attune_ports::{Key, Unavailable};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use chrono::Utc;
use std::time::Duration;

/// How often a commit is tried that meets others without contradicting them.
const ATTEMPTS: u32 = 5;

/// Bytes by which a single write recognises itself.
const NONCE_BYTES: usize = 12;

/// Why a commit did not happen.
enum Refusal {
    /// For good.
    Final(Error),
    /// Another transaction had the record in hand at that moment; what this one expects may still hold.
    Met(Key),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Table {
    /// Makes all writes or none.
    pub(super) async fn commit(&self, commit: &Commit) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            let requests = request::of(&commit.writes, Utc::now())?;
            match self.send(requests).await {
                Ok(()) => return Ok(()),
                Err(Refusal::Final(error)) => return Err(error),
                Err(Refusal::Met(key)) if attempt == ATTEMPTS => return Err(Error::Stale(key)),
                Err(Refusal::Met(_)) => {
                    tokio::time::sleep(pause(attempt)).await;
                    attempt += 1;
                }
            }
        }
    }

    async fn send(&self, mut requests: Vec<Request>) -> Result<(), Refusal> {
        if requests.len() > 1 {
            return self.transact(requests).await;
        }
        let Some(Request { key, action, condition }) = requests.pop() else { return Ok(()) };
        match (action, condition) {
            (Action::Put(item), Some(condition)) => self.put(key, item, condition).await,
            (Action::Overwrite(item), _) => self.overwrite(key, item).await,
            (Action::Delete, None) => self.delete(key).await,
            // What a repeated request finds gone tells nothing of who removed it: the transaction's token does.
            (action, condition) => self.transact(vec![Request { key, action, condition }]).await,
        }
    }

    async fn put(&self, key: Key, mut item: Item, condition: Expression) -> Result<(), Refusal> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        item.insert(NONCE.to_owned(), AttributeValue::B(Blob::new(nonce)));
        let client = self.clients.dynamodb().await;
        let sent = client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition.text)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(Some(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(found)) => {
                    own(found.item(), &nonce).then_some(()).ok_or(stale(key))
                }
                Some(PutItemError::TransactionConflictException(_)) => Err(stale(key)),
                _ => Err(refused(error)),
            },
        }
    }

    async fn overwrite(&self, key: Key, item: Item) -> Result<(), Refusal> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let mut content = request::content(item);
        content.insert(NONCE.to_owned(), AttributeValue::B(Blob::new(nonce)));
        let mut update = request::overwrite(content);
        let condition = condition::first_time(&nonce);
        update.names.extend(condition.names);
        update.values.extend(condition.values);
        let client = self.clients.dynamodb().await;
        let sent = client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(item::key(&key)))
            .update_expression(update.text)
            .condition_expression(condition.text)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // The first of two equal requests has done it.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                Some(UpdateItemError::TransactionConflictException(_)) => Err(Refusal::Met(key)),
                _ => Err(refused(error)),
            },
        }
    }

    async fn delete(&self, key: Key) -> Result<(), Refusal> {
        let client = self.clients.dynamodb().await;
        let request = client.delete_item().table_name(&self.name);
        match request.set_key(Some(item::key(&key))).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("TransactionConflictException") => {
                Err(Refusal::Met(key))
            }
            Err(error) => Err(refused(error)),
        }
    }

    async fn transact(&self, requests: Vec<Request>) -> Result<(), Refusal> {
        // For each: its key, and whether it contradicts nobody who changes the record as well.
        let written: Vec<(Key, bool)> = requests
            .iter()
            .map(|Request { key, action, condition }| {
                (key.clone(), condition.is_none() || matches!(action, Action::Check))
            })
            .collect();
        let items = requests
            .into_iter()
            .map(|request| self.item(request))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::from(Unavailable::new("records", error)))?;
        let client = self.clients.dynamodb().await;
        // The SDK draws the token by which a repeated request is recognised.
        let sent = client.transact_write_items().set_transact_items(Some(items)).send().await;
        let Err(error) = sent else { return Ok(()) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let codes = cancelled.cancellation_reasons().iter();
                let codes: Vec<_> = codes.map(|reason| reason.code().unwrap_or("None")).collect();
                Err(cancelled_by(&codes, &written).unwrap_or_else(|| refused(error)))
            }
            _ => Err(refused(error)),
        }
    }

    fn item(&self, request: Request) -> Result<TransactWriteItem, BuildError> {
        let Request { key, action, condition } = request;
        let item = TransactWriteItem::builder();
        let condition = condition.unwrap_or_default();
        let text = Some(condition.text).filter(|text| !text.is_empty());
        let names = Some(condition.names).filter(|names| !names.is_empty());
        let values = Some(condition.values).filter(|values| !values.is_empty());
        let item = match action {
            Action::Put(content) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(content))
                    .set_condition_expression(text)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Overwrite(content) => {
                let update = request::overwrite(request::content(content));
                item.update(
                    Update::builder()
                        .table_name(&self.name)
                        .set_key(Some(item::key(&key)))
                        .update_expression(update.text)
                        .set_expression_attribute_names(Some(update.names))
                        .set_expression_attribute_values(Some(update.values))
                        .build()?,
                )
            }
            Action::Delete => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(item::key(&key)))
                    .set_condition_expression(text)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Check => item.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(item::key(&key)))
                    .set_condition_expression(text)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
        };
        Ok(item.build())
    }
}

/// Why a transaction was cancelled, from the code that DynamoDB gives each write; `None` where it was nothing
/// that another commit did.
fn cancelled_by(codes: &[&str], written: &[(Key, bool)]) -> Option<Refusal> {
    let first = |code: &str| {
        codes
            .iter()
            .zip(written)
            .find(|(given, _)| **given == code)
            .map(|(_, (key, _))| key.clone())
    };
    if let Some(key) = first("ConditionalCheckFailed") {
        return Some(stale(key));
    }
    let mut conflicts =
        codes.iter().zip(written).filter(|(code, _)| **code == "TransactionConflict");
    // Whoever is changing what this one expects unchanged, will have changed it.
    match conflicts.clone().find(|(_, (_, is_tolerant))| !is_tolerant) {
        Some((_, (key, _))) => Some(stale(key.clone())),
        None => conflicts.next().map(|(_, (key, _))| Refusal::Met(key.clone())),
    }
}

fn stale(key: Key) -> Refusal {
    Refusal::Final(Error::Stale(key))
}

/// Whether an item is what a write with this nonce left.
fn own(found: Option<&Item>, nonce: &[u8]) -> bool {
    match found.and_then(|item| item.get(NONCE)) {
        Some(AttributeValue::B(held)) => held.as_ref() == nonce,
        _ => false,
    }
}

/// Any other failure: a size that only DynamoDB knows of, or that it does not answer.
fn refused<E, R>(error: SdkError<E, R>) -> Refusal
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    let is_size = error.code() == Some("ValidationException")
        && error.message().is_some_and(|message| message.to_lowercase().contains("size"));
    Refusal::Final(if is_size {
        Error::TooLarge(error.message().unwrap_or_default().to_owned())
    } else {
        unavailable("records", error).into()
    })
}

/// A moment before the next attempt, longer each time, and never the same for two that met.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(rand::random_range(5..=10_u64 << attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transaction_names_the_write_that_stood_in_the_way() {
        let written = [
            (Key::new("expects", ""), false),
            (Key::new("checks", ""), true),
            (Key::new("puts", ""), true),
        ];
        let (none, failed, met) = ("None", "ConditionalCheckFailed", "TransactionConflict");
        for (codes, expected) in [
            ([none, failed, none], "stale checks"),
            ([met, none, failed], "stale puts"),
            ([met, met, none], "stale expects"),
            ([none, met, met], "met checks"),
            ([none, none, met], "met puts"),
            ([none, "ThrottlingError", none], "other"),
        ] {
            let told = match cancelled_by(&codes, &written) {
                Some(Refusal::Final(Error::Stale(key))) => format!("stale {}", key.partition),
                Some(Refusal::Met(key)) => format!("met {}", key.partition),
                _ => "other".to_owned(),
            };
            assert_eq!(told, expected, "{codes:?}");
        }
    }

    #[test]
    fn a_write_recognises_its_own_work() {
        let nonce = AttributeValue::B(Blob::new([1, 2]));
        let item = Item::from([(NONCE.to_owned(), nonce)]);
        assert!(own(Some(&item), &[1, 2]));
        assert!(!own(Some(&item), &[1, 3]));
        assert!(!own(Some(&Item::new()), &[1, 2]));
        assert!(!own(None, &[1, 2]));
    }
}
