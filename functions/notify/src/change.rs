//! What counting needs of a record of the stream, which is little: the bodies are passed over.

use attune_aws::tally::Change;
use serde::Deserialize;
use serde_json::Value;

/// A record that is none of a table's stream.
#[derive(Debug, thiserror::Error)]
#[error("the record cannot be read")]
pub struct Unreadable {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Why.
    pub source: serde_json::Error,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventID")]
    id: String,
    dynamodb: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    sequence_number: String,
    old_image: Option<Image>,
    new_image: Option<Image>,
}

/// An item's attributes, but for [`attune_aws::table::TALLY`] passed over.
#[derive(Deserialize)]
struct Image {
    t: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

/// Reads a record.
pub(crate) fn read(record: Value) -> Result<Change, Unreadable> {
    let id = record["eventID"].as_str().map(str::to_owned);
    let Record { id, dynamodb } =
        serde_json::from_value(record).map_err(|source| Unreadable { id, source })?;
    let tally = |image: Option<Image>| Some(image?.t?.text);
    Ok(Change {
        id,
        sequence: dynamodb.sequence_number,
        old: tally(dynamodb.old_image),
        new: tally(dynamodb.new_image),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tally_is_where_it_is_looked_for() {
        assert_eq!(attune_aws::table::TALLY, "t");
    }
}
