//! The template language of rules, workflows and packs.
//!
//! In any string of a JSON value, `{{ expression }}` is live and nothing else. A string that is one
//! expression becomes its value, type and all; expressions among other text become text. A [`Template`]
//! is read once and rendered often: what holds no expression is kept as it is, what is a mere path such as
//! `event.payload.host` is looked up in borrowed JSON, and only the rest enters the expression engine,
//! within bounds on work and output.
//!
//! ```
//! use attune_domain::template::{Scope, Template};
//! use serde_json::json;
//!
//! let event = json!({"payload": {"host": "db1", "load": 0.5}});
//! let template = Template::parse(&json!({"text": "{{ event.payload.host }} is busy", "load": "{{ event.payload.load }}"}));
//! let rendered = template.render(&Scope::lenient().root("event", &event)).unwrap();
//! assert_eq!(rendered, json!({"text": "db1 is busy", "load": 0.5}));
//! ```

mod budget;
mod deferred;
mod dialect;
mod engine;
mod error;
mod expression;
mod functions;
mod lambda;
mod lexer;
mod lower;
pub(crate) mod number;
mod operators;
pub mod orquesta;
mod parser;
pub(crate) mod path;
mod scope;
pub(crate) mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;

pub use deferred::{Rendered, render_deferred};
pub use error::{Error, Fault};
pub use expression::{Expression, is_truthy};
pub(crate) use functions::compile_pattern;
pub use path::{Path, Segment};
pub use scope::{Mode, Scope};
pub use text::contains_template;
pub use tree::{Reference, Template};
