//! What DynamoDB charges, by its rules.
//!
//! Writing an item costs a unit for each KB of it, begun ones included; twice that in a transaction. A
//! replaced item counts with the larger of both sizes. Each index whose entry is made, removed or moved costs
//! a unit for each of these (entries are keys alone here, so below a KB). Reading consistently costs a unit
//! for each 4 KB, also where there is nothing; other reads half of that.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ops::AddAssign;

/// Index keys, as attributes of an item: partition and sort of each.
const INDEXES: [(&str, &str); 4] = [("dp", "ds"), ("lp", "ls"), ("op", "os"), ("bp", "bs")];

/// Request units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Writes of the table itself.
    pub writes: f64,
    /// Writes of its indexes.
    pub index_writes: f64,
    /// Reads.
    pub reads: f64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.writes += other.writes;
        self.index_writes += other.index_writes;
        self.reads += other.reads;
    }
}

type Entry = Option<(String, String)>;

/// What is known of an item: its size, and where it stands in indexes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    bytes: usize,
    entries: [Entry; 4],
}

/// Follows what is written, so that it knows what a write replaces.
#[derive(Default)]
pub struct Meter {
    items: HashMap<String, Known>,
}

impl Meter {
    /// What a successful operation costs, from its request and its answer.
    pub fn charge(&mut self, operation: &str, request: &Value, answer: &Value) -> Units {
        let mut units = Units::default();
        match operation {
            "PutItem" => units += self.put(&request["Item"], 1.0),
            "UpdateItem" => units += self.update(request, 1.0),
            "DeleteItem" => units += self.delete(&request["Key"], 1.0),
            "TransactWriteItems" => {
                for item in request["TransactItems"].as_array().into_iter().flatten() {
                    units += if item["Put"].is_object() {
                        self.put(&item["Put"]["Item"], 2.0)
                    } else if item["Update"].is_object() {
                        self.update(&item["Update"], 2.0)
                    } else if item["Delete"].is_object() {
                        self.delete(&item["Delete"]["Key"], 2.0)
                    } else {
                        self.check(&item["ConditionCheck"]["Key"])
                    };
                }
            }
            "GetItem" => units.reads += read(size(&answer["Item"]), consistent(request)),
            "BatchGetItem" => {
                for (table, asked) in request["RequestItems"].as_object().into_iter().flatten() {
                    let found = answer["Responses"][table].as_array().map_or(&[][..], |f| f);
                    let keys = asked["Keys"].as_array().map_or(0, Vec::len);
                    let strong = consistent(asked);
                    units.reads += found.iter().map(|item| read(size(item), strong)).sum::<f64>();
                    units.reads += (keys - found.len()) as f64 * read(0, strong);
                }
            }
            "Query" => {
                let items = answer["Items"].as_array().map_or(&[][..], |found| found);
                units.reads += read(items.iter().map(size).sum(), consistent(request));
            }
            _ => {}
        }
        units
    }

    fn put(&mut self, item: &Value, times: f64) -> Units {
        let known = Known { bytes: size(item), entries: entries(item) };
        self.replace(key(item), known, times)
    }

    /// An update sets what it names; how large the rest is, only an earlier write tells.
    fn update(&mut self, request: &Value, times: f64) -> Units {
        let key = key(&request["Key"]);
        let before = self.items.get(&key).cloned().unwrap_or_default();
        let values = request["ExpressionAttributeValues"].as_object();
        let named: usize = values.into_iter().flatten().map(|(_, value)| value_size(value)).sum();
        let set = set_attributes(request);
        let mut entries = before.entries.clone();
        if !set.is_empty() {
            entries = self::entries(&Value::Object(set));
        }
        self.replace(key, Known { bytes: before.bytes.max(named + 64), entries }, times)
    }

    fn replace(&mut self, key: String, known: Known, times: f64) -> Units {
        let before = self.items.insert(key, known.clone()).unwrap_or_default();
        let kilobytes = before.bytes.max(known.bytes).div_ceil(1024).max(1);
        Units {
            writes: kilobytes as f64 * times,
            index_writes: moved(&before.entries, &known.entries),
            reads: 0.0,
        }
    }

    fn delete(&mut self, key: &Value, times: f64) -> Units {
        let before = self.items.remove(&self::key(key)).unwrap_or_default();
        Units {
            writes: before.bytes.div_ceil(1024).max(1) as f64 * times,
            index_writes: moved(&before.entries, &Default::default()),
            reads: 0.0,
        }
    }

    /// A condition in a transaction costs what a write would.
    fn check(&self, key: &Value) -> Units {
        let bytes = self.items.get(&self::key(key)).map_or(0, |known| known.bytes);
        Units { writes: bytes.div_ceil(1024).max(1) as f64 * 2.0, ..Units::default() }
    }
}

/// Entries that go and entries that come.
fn moved(before: &[Entry; 4], after: &[Entry; 4]) -> f64 {
    let changed = before.iter().zip(after).filter(|(old, new)| old != new);
    changed
        .map(|(old, new)| u32::from(old.is_some()) + u32::from(new.is_some()))
        .sum::<u32>()
        .into()
}

fn read(bytes: usize, strong: bool) -> f64 {
    bytes.div_ceil(4096).max(1) as f64 * if strong { 1.0 } else { 0.5 }
}

fn consistent(request: &Value) -> bool {
    request["ConsistentRead"] == Value::Bool(true)
}

fn key(item: &Value) -> String {
    format!(
        "{}\n{}",
        item["pk"]["S"].as_str().unwrap_or(""),
        item["sk"]["S"].as_str().unwrap_or("")
    )
}

fn entries(item: &Value) -> [Entry; 4] {
    let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
    INDEXES.map(|(partition, sort)| Some((text(partition)?, text(sort)?)))
}

/// Attributes that an update's `SET` gives a value, as far as they are indexed ones.
fn set_attributes(request: &Value) -> Map<String, Value> {
    let expression = request["UpdateExpression"].as_str().unwrap_or_default();
    let mut set = Map::new();
    for (name, _) in INDEXES.iter().flat_map(|(p, s)| [(p, ()), (s, ())]) {
        // `#name = :value` or `name = :value`.
        for written in [format!("#{name} = "), format!(" {name} = "), format!("#{name}=")] {
            if let Some((_, rest)) = expression.split_once(&written) {
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                let value = &request["ExpressionAttributeValues"][&rest[..end]];
                set.insert((*name).to_owned(), value.clone());
            }
        }
    }
    set
}

/// Bytes of an item: names and values of its attributes.
fn size(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|of| of.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        // In base64, four characters for three bytes.
        ("B", Value::String(text)) => text.trim_end_matches('=').len() * 3 / 4,
        ("L", Value::Array(list)) => 3 + list.iter().map(|one| value_size(one) + 1).sum::<usize>(),
        ("M", map) => 3 + size(map) + map.as_object().map_or(0, Map::len),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(sort: &str, bytes: usize, due: Option<&str>) -> Value {
        let mut item = json!({"pk": {"S": "p"}, "sk": {"S": sort}, "b": {"S": "x".repeat(bytes)}});
        if let Some(due) = due {
            item["dp"] = json!({"S": "due#1"});
            item["ds"] = json!({"S": due});
        }
        item
    }

    #[test]
    fn writes_cost_by_size_by_transaction_and_by_index() {
        let mut meter = Meter::default();
        let mut charged = |operation: &str, request: Value| {
            let units = meter.charge(operation, &request, &json!({}));
            (units.writes, units.index_writes)
        };
        let put = |item: Value| json!({"Item": item});
        assert_eq!(charged("PutItem", put(item("a", 900, Some("1")))), (1.0, 1.0), "made");
        assert_eq!(charged("PutItem", put(item("a", 900, Some("1")))), (1.0, 0.0), "as it was");
        assert_eq!(charged("PutItem", put(item("a", 1500, Some("2")))), (2.0, 2.0), "moved");
        assert_eq!(charged("PutItem", put(item("a", 10, None))), (2.0, 1.0), "it was larger");
        let both = json!({"TransactItems": [
            {"Put": {"Item": item("b", 100, None)}},
            {"Delete": {"Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}}},
            {"ConditionCheck": {"Key": {"pk": {"S": "p"}, "sk": {"S": "b"}}}},
        ]});
        assert_eq!(charged("TransactWriteItems", both), (6.0, 0.0));
    }

    #[test]
    fn reads_cost_by_size_and_consistency() {
        let large = item("a", 5000, None);
        let mut meter = Meter::default();
        for (operation, request, answer, expected) in [
            ("GetItem", json!({"ConsistentRead": true}), json!({"Item": large}), 2.0),
            ("GetItem", json!({}), json!({}), 0.5),
            (
                "BatchGetItem",
                json!({"RequestItems": {"t": {"ConsistentRead": true, "Keys": [{}, {}]}}}),
                json!({"Responses": {"t": [item("a", 10, None)]}}),
                2.0,
            ),
            ("Query", json!({}), json!({"Items": [large, large]}), 1.5),
        ] {
            assert_eq!(meter.charge(operation, &request, &answer).reads, expected, "{operation}");
        }
    }
}
