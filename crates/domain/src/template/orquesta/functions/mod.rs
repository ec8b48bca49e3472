//! Functions that YAQL has and the template language has not, or has with other results.
//!
//! Their names begin with `yaql_`, which no expression can write: only [`super::vocabulary`] does.

mod element;
mod list;
mod object;
mod text;

use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::functions::number::{int, number_of, unreadable};
use crate::template::functions::{Definition, function};
use crate::template::number::Number;
use crate::template::value::type_name;
use minijinja::Value;

/// As many arguments as the grammar lets through.
const MANY: usize = usize::MAX;

/// All of them.
pub(crate) static FUNCTIONS: &[Definition] = &[
    // Types
    function("yaql_int", 1..=1, |evaluation, args| match &args[0] {
        null if null.is_none() => Ok(Value::from(0)),
        _ => int(evaluation, args),
    }),
    function("yaql_float", 1..=1, float),
    function("yaql_is_integer", 1..=1, |_, args| Ok(Value::from(args[0].is_integer()))),
    function("yaql_is_empty", 1..=1, text::is_empty),
    function("yaql_list", 1..=1, list::list),
    function("yaql_member", 2..=2, object::member),
    // Text
    function("yaql_len", 1..=1, text::len),
    function("yaql_trim", 1..=2, text::trim),
    function("yaql_trim_left", 1..=2, text::trim_left),
    function("yaql_trim_right", 1..=2, text::trim_right),
    function("yaql_split", 1..=3, text::split),
    function("yaql_join", 2..=2, text::join),
    function("yaql_substring", 2..=3, text::substring),
    function("yaql_index_of", 2..=2, list::index_of),
    function("yaql_last_index_of", 2..=2, list::last_index_of),
    function("yaql_characters", 1..=1, text::characters),
    function("yaql_format", 1..=MANY, text::format),
    function("yaql_regex_substring", 2..=4, text::regex_substring),
    function("yaql_basename", 1..=1, text::basename),
    function("yaql_dirname", 1..=1, text::dirname),
    function("yaql_json_escape", 1..=1, text::json_escape),
    // Lists
    function("yaql_range", 1..=3, list::range),
    function("yaql_max", 1..=MANY, list::max),
    function("yaql_min", 1..=MANY, list::min),
    function("yaql_first", 1..=2, list::first),
    function("yaql_last", 1..=2, list::last),
    function("yaql_single", 1..=1, list::single),
    function("yaql_flatten", 1..=1, list::flatten),
    function("yaql_take", 2..=2, list::take),
    function("yaql_skip", 2..=2, list::skip),
    function("yaql_enumerate", 1..=2, list::enumerate),
    function("yaql_zip", 1..=MANY, list::zip),
    function("yaql_zip_longest", 2..=MANY, list::zip_longest),
    // Objects
    function("yaql_items", 1..=1, object::items),
    function("yaql_get", 2..=3, object::get),
    function("yaql_dict", 1..=1, object::dict),
    function("yaql_delete", 2..=MANY, object::delete),
    function("yaql_contains_value", 2..=2, object::contains_value),
    function("yaql_merge", 2..=2, object::merge),
    // Arguments evaluated when they are needed
    function("yaql_coalesce", 1..=MANY, element::coalesce),
    function("yaql_switch", 2..=MANY, element::switch),
    // Arguments evaluated for each element
    function("yaql_select", 2..=2, element::select),
    function("yaql_where", 2..=2, element::filter),
    function("yaql_any", 1..=2, element::any),
    function("yaql_all", 1..=2, element::all),
    function("yaql_distinct", 1..=2, element::distinct),
    function("yaql_select_many", 2..=2, element::select_many),
    function("yaql_order_by", 2..=2, element::order_by),
    function("yaql_order_by_descending", 2..=2, element::order_by_descending),
    function("yaql_group_by", 2..=3, element::group_by),
    function("yaql_to_dict", 2..=3, element::to_dict),
    function("yaql_take_while", 2..=2, element::take_while),
    function("yaql_skip_while", 2..=2, element::skip_while),
    function("yaql_index_where", 2..=2, element::index_where),
];

/// Numbers as floats, texts read, null zero, booleans 1.0 and 0.0.
fn float(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    if let Some(text) = value.as_str() {
        let read: Option<f64> = text.trim().parse().ok().filter(|float: &f64| float.is_finite());
        return read.map(Value::from).ok_or_else(|| unreadable("float"));
    }
    let float = match type_name(value) {
        "null" => 0.0,
        "bool" => f64::from(u8::from(value.is_true())),
        _ => match number_of("float", value)? {
            Number::Int(int) => int as f64,
            Number::Float(float) => float,
        },
    };
    Ok(Value::from(float))
}
