//! Reading definitions: by ref, by id, in lists.

use crate::definition::{Definition, Stored};
use crate::error::Error;
use crate::layout;
use attune_domain::catalogue::{Rule, Trigger};
use attune_domain::policy::Policy;
use attune_ports::records::{Index, Key, Kind, Query, Record};
use attune_ports::{Ports, Unavailable};

/// Records read at once where all of a partition are wanted.
const CHUNK: usize = 500;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Only refs after this one.
    pub after: Option<String>,
    /// Leaves out so many of those.
    pub offset: u64,
    /// So many at most.
    pub limit: usize,
}

impl Part {
    /// All of it.
    pub const ALL: Self = Self { after: None, offset: 0, limit: usize::MAX };
}

/// A part of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// The definitions, by ref ascending.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

/// The definition of that ref, if there is one.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Unreadable`].
pub async fn get<T: Definition>(ports: &Ports, reference: &str) -> Result<Option<T>, Error> {
    Ok(stored(ports, reference).await?.map(|stored| stored.value))
}

/// The definition of that ref.
///
/// # Errors
/// [`Error::NotFound`] where there is none; else as [`get`].
pub async fn require<T: Definition>(ports: &Ports, reference: &str) -> Result<T, Error> {
    get(ports, reference).await?.ok_or_else(|| Error::not_found(T::KIND, reference))
}

/// The definition of that id.
///
/// # Errors
/// [`Error::NotFound`] where there is none; else as [`get`].
pub async fn by_id<T: Definition>(ports: &Ports, id: i64) -> Result<T, Error> {
    let missing = || Error::not_found(T::KIND, id);
    let marker = ports.records.get(&layout::by_id(T::KIND, id)).await?.ok_or_else(missing)?;
    let reference: String = marker.decode()?;
    // A definition that was deleted and made anew under its old ref has another id.
    get::<T>(ports, &reference).await?.filter(|found| found.id() == id).ok_or_else(missing)
}

/// A part of all definitions of a kind.
///
/// # Errors
/// As [`get`].
pub async fn page<T: Definition>(ports: &Ports, part: &Part) -> Result<Listing<T>, Error> {
    let mut items = Vec::new();
    let mut passed = 0;
    let mut query = Query::partition(T::KIND.as_str(), CHUNK).after(part.after.clone());
    while items.len() < part.limit {
        let page = ports.records.query(&query).await?;
        for record in &page.records {
            if passed >= part.offset && items.len() < part.limit {
                items.push(record.decode()?);
            }
            passed += 1;
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    Ok(Listing { items, total: count(ports, T::KIND).await? })
}

/// How many definitions of a kind there are.
///
/// # Errors
/// [`Unavailable`] where the records do not answer.
pub async fn count(ports: &Ports, kind: Kind) -> Result<u64, Unavailable> {
    let name = kind.as_str();
    let tallies = ports.records.tally(name).await?;
    Ok(tallies.into_iter().find(|(tally, _)| tally == name).map_or(0, |(_, count)| count))
}

/// A part of those definitions of a kind that `wanted` accepts.
///
/// # Errors
/// As [`get`].
pub async fn filtered<T: Definition>(
    ports: &Ports,
    part: &Part,
    wanted: impl Fn(&T) -> bool + Send,
) -> Result<Listing<T>, Error> {
    let found = scan(ports, Query::partition(T::KIND.as_str(), CHUNK), wanted).await?;
    Ok(cut(found, part))
}

/// All definitions of a kind.
///
/// # Errors
/// As [`get`].
pub async fn all<T: Definition>(ports: &Ports) -> Result<Vec<T>, Error> {
    scan(ports, Query::partition(T::KIND.as_str(), CHUNK), |_| true).await
}

/// A part of those rules of a trigger, enabled or not, that `wanted` accepts.
///
/// # Errors
/// As [`get`].
pub async fn rules_of_trigger(
    ports: &Ports,
    trigger_ref: &str,
    part: &Part,
    wanted: impl Fn(&Rule) -> bool + Send,
) -> Result<Listing<Rule>, Error> {
    let query = Query::index(Index::Of, layout::rules_of_trigger(trigger_ref), CHUNK);
    Ok(cut(scan(ports, query, wanted).await?, part))
}

/// A part of those rules that execute an action, enabled or not, that `wanted` accepts.
///
/// # Errors
/// As [`get`].
pub async fn rules_of_action(
    ports: &Ports,
    action_ref: &str,
    part: &Part,
    wanted: impl Fn(&Rule) -> bool + Send,
) -> Result<Listing<Rule>, Error> {
    let query = Query::index(Index::By, layout::rules_of_action(action_ref), CHUNK);
    Ok(cut(scan(ports, query, wanted).await?, part))
}

/// The trigger that a webhook key opens, if any does.
///
/// # Errors
/// As [`get`].
pub async fn trigger_by_webhook(ports: &Ports, key: &str) -> Result<Option<Trigger>, Error> {
    let Some(marker) = ports.records.get(&layout::webhook(key)).await? else { return Ok(None) };
    let reference: String = marker.decode()?;
    let trigger = get::<Trigger>(ports, &reference).await?;
    Ok(trigger.filter(|found| found.webhook.as_ref().is_some_and(|hook| hook.key == key)))
}

/// All policies, in force or not.
///
/// # Errors
/// As [`get`].
pub async fn policies(ports: &Ports) -> Result<Vec<Policy>, Error> {
    all(ports).await
}

/// The definition of that ref with its version.
pub(crate) async fn stored<T: Definition>(
    ports: &Ports,
    reference: &str,
) -> Result<Option<Stored<T>>, Error> {
    let record = ports.records.get(&layout::definition(T::KIND, reference)).await?;
    record.map(|record| of_record(&record)).transpose()
}

/// The definition of that ref with its version, which must be there.
pub(crate) async fn stored_or_missing<T: Definition>(
    ports: &Ports,
    reference: &str,
) -> Result<Stored<T>, Error> {
    stored(ports, reference).await?.ok_or_else(|| Error::not_found(T::KIND, reference))
}

/// Definitions of these refs with their versions, in the order asked for.
pub(crate) async fn stored_all<T: Definition>(
    ports: &Ports,
    references: &[&str],
) -> Result<Vec<Option<Stored<T>>>, Error> {
    let keys: Vec<Key> =
        references.iter().map(|reference| layout::definition(T::KIND, reference)).collect();
    let records = ports.records.get_all(&keys).await?;
    records.into_iter().map(|record| record.as_ref().map(of_record).transpose()).collect()
}

fn of_record<T: Definition>(record: &Record) -> Result<Stored<T>, Error> {
    Ok(Stored { value: record.decode()?, version: record.version })
}

async fn scan<T: Definition>(
    ports: &Ports,
    mut query: Query,
    wanted: impl Fn(&T) -> bool + Send,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    loop {
        let page = ports.records.query(&query).await?;
        for record in &page.records {
            let value = record.decode()?;
            if wanted(&value) {
                found.push(value);
            }
        }
        match page.next {
            None => return Ok(found),
            next => query.after = next,
        }
    }
}

fn cut<T: Definition>(found: Vec<T>, part: &Part) -> Listing<T> {
    let total = found.len() as u64;
    let offset = usize::try_from(part.offset).unwrap_or(usize::MAX);
    let after =
        |definition: &T| part.after.as_deref().is_none_or(|after| definition.reference() > after);
    let items = found.into_iter().filter(after).skip(offset).take(part.limit).collect();
    Listing { items, total }
}
