//! The table: what its attributes and indexes are called.
//!
//! `infra/template.yaml` makes the same for a stack. Names are short because every item carries them, and
//! DynamoDB counts them as bytes and money.

use crate::Clients;
use crate::failure::unavailable;
use attune_ports::Unavailable;
use attune_ports::records::Index;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use std::time::Duration;

/// Partition of a record: text, the table's hash key.
pub const PARTITION: &str = "pk";
/// Sort key of a record with a `=` before it, because DynamoDB takes no empty key: text, the range key.
pub const SORT: &str = "sk";
/// Version: number.
pub const VERSION: &str = "v";
/// Kind: text.
pub const KIND: &str = "k";
/// Body: JSON text.
pub const BODY: &str = "b";
/// Body where it is smaller so: deflated bytes.
pub const DEFLATED: &str = "z";
/// Name under which the record is counted: text.
pub const TALLY: &str = "t";
/// Moment from which the record counts as absent: number, milliseconds since 1970.
pub const EXPIRES: &str = "e";
/// The same in seconds, rounded up: number. DynamoDB removes the item some time after.
pub const TTL: &str = "ttl";
/// What a single write leaves to recognise itself by: bytes.
pub const NONCE: &str = "w";

/// How an index is called, and the attributes of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexNames {
    /// The index.
    pub index: &'static str,
    /// Its hash key: text.
    pub partition: &'static str,
    /// Its range key: text, with a `=` before it.
    pub sort: &'static str,
}

/// Names of an index.
#[must_use]
pub const fn index_names(index: Index) -> IndexNames {
    match index {
        Index::Due => IndexNames { index: "ix-due", partition: "dp", sort: "ds" },
        Index::List => IndexNames { index: "ix-list", partition: "lp", sort: "ls" },
        Index::Of => IndexNames { index: "ix-of", partition: "op", sort: "os" },
        Index::By => IndexNames { index: "ix-by", partition: "bp", sort: "bs" },
    }
}

/// Makes a table with its indexes and its stream, and returns when it can be used.
///
/// Indexes hold keys alone: so replacing a record that stays where it stood writes to none of them.
///
/// # Errors
/// [`Unavailable`] where DynamoDB does not answer or refuses, for instance because the table is there.
pub async fn create(clients: &Clients, name: &str) -> Result<(), Unavailable> {
    let client = clients.dynamodb().await;
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys(PARTITION, SORT).map_err(incomplete)?))
        .attribute_definitions(text(PARTITION).map_err(incomplete)?)
        .attribute_definitions(text(SORT).map_err(incomplete)?)
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .map_err(incomplete)?,
        );
    for names in Index::ALL.map(index_names) {
        request = request
            .attribute_definitions(text(names.partition).map_err(incomplete)?)
            .attribute_definitions(text(names.sort).map_err(incomplete)?)
            .global_secondary_indexes(index(names).map_err(incomplete)?);
    }
    request.send().await.map_err(|error| unavailable("table", error))?;
    client
        .wait_until_table_exists()
        .table_name(name)
        .wait(Duration::from_secs(120))
        .await
        .map_err(|error| Unavailable::new("table", error))?;
    let ttl = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build();
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(ttl.map_err(incomplete)?)
        .send()
        .await
        .map_err(|error| unavailable("table", error))?;
    Ok(())
}

fn index(names: IndexNames) -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(names.index)
        .set_key_schema(Some(keys(names.partition, names.sort)?))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
}

fn keys(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, key_type)| {
            KeySchemaElement::builder().attribute_name(name).key_type(key_type).build()
        })
        .collect()
}

fn text(name: &str) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
}

fn incomplete(error: BuildError) -> Unavailable {
    Unavailable::new("table", error)
}
