//! The table's stream, read from shard to shard.
//!
//! DynamoDB splits and replaces shards as it likes, several times a day. The changes of one record are in
//! order as long as a shard is read after its parent.

use crate::Clients;
use crate::failure::unavailable;
use attune_ports::Unavailable;
use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it may take to learn of a shard that replaces none.
const REFRESH: Duration = Duration::from_secs(60);

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what comes from now on.
    Newest,
    /// With the oldest that the stream keeps: it keeps a day.
    Oldest,
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What comes next is not there any more, or it is not known where to go on.
    #[error("the stream has moved on")]
    Gap,
    /// The stream does not answer; trying again is possible.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A reader of a table's stream.
pub struct Stream {
    clients: Arc<Clients>,
    arn: String,
    /// Shards seen so far, and whether they are read to their end.
    known: HashMap<String, bool>,
    readers: Vec<Reader>,
    /// When its shards were listed; `None`, they are to be listed next.
    listed_at: Option<Instant>,
}

/// A shard that is being read.
struct Reader {
    shard: String,
    iterator: String,
    /// Sequence number of the last record read.
    last: Option<String>,
}

/// A shard as the stream lists it.
#[derive(Clone, Debug)]
struct Listed {
    id: String,
    parent: Option<String>,
    is_open: bool,
}

/// What one request found.
enum Read {
    Records(Vec<Record>, Option<String>),
    Expired,
    Trimmed,
    Later(Unavailable),
}

impl Stream {
    /// Opens the stream of a table.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where DynamoDB does not answer or the table has no stream.
    pub async fn open(clients: Arc<Clients>, table: &str, start: Start) -> Result<Self, Error> {
        let described = clients.dynamodb().await.describe_table().table_name(table).send().await;
        let described = described.map_err(|error| unavailable("feed", error))?;
        let arn = described.table.and_then(|table| table.latest_stream_arn);
        let arn = arn.ok_or_else(|| Unavailable::new("feed", "the table has no stream"))?;
        let (known, readers) = (HashMap::new(), Vec::new());
        let mut stream = Self { clients, arn, known, readers, listed_at: Some(Instant::now()) };
        match start {
            Start::Oldest => stream.refresh().await?,
            Start::Newest => {
                for Listed { id, is_open, .. } in stream.list().await? {
                    if is_open {
                        stream.begin(id, ShardIteratorType::Latest).await?;
                    } else {
                        stream.known.insert(id, true);
                    }
                }
            }
        }
        Ok(stream)
    }

    /// Asks every shard once. Answers what each had, in its order: a batch a shard, without empty ones.
    ///
    /// # Errors
    /// [`Error::Gap`], after which the stream must be opened anew; [`Error::Unavailable`], after which nothing
    /// is lost.
    pub async fn next(&mut self) -> Result<Vec<Vec<Record>>, Error> {
        if self.listed_at.is_none_or(|at| at.elapsed() > REFRESH) {
            self.refresh().await?;
        }
        let client = self.clients.streams().await;
        let asked = self.readers.iter().map(|reader| async {
            let request = client.get_records().shard_iterator(&reader.iterator);
            match request.send().await {
                Ok(read) => {
                    Read::Records(read.records.unwrap_or_default(), read.next_shard_iterator)
                }
                Err(error) => match error.code() {
                    Some("ExpiredIteratorException") => Read::Expired,
                    code if is_gone(code) => Read::Trimmed,
                    _ => Read::Later(unavailable("feed", error)),
                },
            }
        });
        let answers = join_all(asked).await;
        self.take(answers).await
    }

    /// Takes every answer. Where there are records, they come first: a gap or a failure is met again by the
    /// next round.
    async fn take(&mut self, answers: Vec<Read>) -> Result<Vec<Vec<Record>>, Error> {
        let mut batches = Vec::new();
        let mut failure = None;
        for (mut reader, answer) in std::mem::take(&mut self.readers).into_iter().zip(answers) {
            match answer {
                Read::Records(records, next) => {
                    let last = records.last().and_then(|last| last.dynamodb()?.sequence_number());
                    if let Some(last) = last {
                        reader.last = Some(last.to_owned());
                    }
                    if !records.is_empty() {
                        batches.push(records);
                    }
                    let Some(iterator) = next else {
                        self.known.insert(reader.shard, true);
                        // Its children follow.
                        self.listed_at = None;
                        continue;
                    };
                    reader.iterator = iterator;
                }
                Read::Expired => match self.resume(&reader).await {
                    Ok(iterator) => reader.iterator = iterator,
                    Err(error) => failure = Some(error),
                },
                Read::Trimmed => failure = Some(Error::Gap),
                Read::Later(error) => failure = failure.or(Some(error.into())),
            }
            self.readers.push(reader);
        }
        match failure {
            Some(failure) if batches.is_empty() => Err(failure),
            _ => Ok(batches),
        }
    }

    /// Begins with the shards that have appeared.
    async fn refresh(&mut self) -> Result<(), Error> {
        let listed = self.list().await?;
        for id in startable(&self.known, &listed) {
            self.begin(id, ShardIteratorType::TrimHorizon).await?;
        }
        self.known.retain(|id, is_done| !*is_done || listed.iter().any(|shard| shard.id == *id));
        self.listed_at = Some(Instant::now());
        Ok(())
    }

    async fn begin(&mut self, shard: String, from: ShardIteratorType) -> Result<(), Error> {
        let client = self.clients.streams().await;
        let request = client.get_shard_iterator().stream_arn(&self.arn).shard_id(&shard);
        let answer = request.shard_iterator_type(from).send().await;
        let answer = answer.map_err(|error| unavailable("feed", error))?;
        let iterator = answer.shard_iterator.ok_or(Error::Gap)?;
        self.known.insert(shard.clone(), false);
        self.readers.push(Reader { shard, iterator, last: None });
        Ok(())
    }

    /// A fresh iterator for a reader whose own is too old.
    async fn resume(&self, reader: &Reader) -> Result<String, Error> {
        // What it would have seen first is not known.
        let last = reader.last.as_ref().ok_or(Error::Gap)?;
        let client = self.clients.streams().await;
        let request = client.get_shard_iterator().stream_arn(&self.arn).shard_id(&reader.shard);
        let request = request.shard_iterator_type(ShardIteratorType::AfterSequenceNumber);
        match request.sequence_number(last).send().await {
            Ok(answer) => answer.shard_iterator.ok_or(Error::Gap),
            Err(error) if is_gone(error.code()) => Err(Error::Gap),
            Err(error) => Err(unavailable("feed", error).into()),
        }
    }

    async fn list(&self) -> Result<Vec<Listed>, Error> {
        let client = self.clients.streams().await;
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let request = client.describe_stream().stream_arn(&self.arn);
            let answer = request.set_exclusive_start_shard_id(after).send().await;
            let answer = answer.map_err(|error| unavailable("feed", error))?;
            let Some(stream) = answer.stream_description else { return Err(Error::Gap) };
            listed.extend(stream.shards().iter().filter_map(|shard| {
                let range = shard.sequence_number_range();
                Some(Listed {
                    id: shard.shard_id()?.to_owned(),
                    parent: shard.parent_shard_id().map(str::to_owned),
                    is_open: range.is_none_or(|range| range.ending_sequence_number().is_none()),
                })
            }));
            after = stream.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(listed);
            }
        }
    }
}

/// Whether an error's code says that records, or the whole stream, are no more.
fn is_gone(code: Option<&str>) -> bool {
    matches!(code, Some("TrimmedDataAccessException" | "ResourceNotFoundException"))
}

/// The shards to begin with: those whose parent is read to its end, or was never there to be read.
fn startable(known: &HashMap<String, bool>, listed: &[Listed]) -> Vec<String> {
    let is_listed = |id: &String| listed.iter().any(|shard| shard.id == *id);
    listed
        .iter()
        .filter(|shard| !known.contains_key(&shard.id))
        .filter(|shard| match &shard.parent {
            None => true,
            Some(parent) => known.get(parent).copied().unwrap_or(!is_listed(parent)),
        })
        .map(|shard| shard.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_after_its_parent() {
        let listed = [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("gone"))].map(
            |(id, parent)| Listed {
                id: id.to_owned(),
                parent: parent.map(str::to_owned),
                is_open: true,
            },
        );
        for (known, expected) in [
            (&[][..], &["a", "d"][..]),
            (&[("a", false)], &["d"]),
            (&[("a", true)], &["b", "d"]),
            (&[("a", true), ("b", false), ("d", false)], &[]),
            (&[("b", true), ("a", true), ("d", true)], &["c"]),
        ] {
            let known: HashMap<String, bool> =
                known.iter().map(|(id, is_done)| ((*id).to_owned(), *is_done)).collect();
            assert_eq!(startable(&known, &listed), expected, "{known:?}");
        }
    }
}
