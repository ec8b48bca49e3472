//! Templates that are rendered in two goes: by the server, which does not know the keystore, and by the
//! runner, which knows nothing else.

use super::error::Error;
use super::scope::Scope;
use super::tree::Template;
use serde_json::Value;

/// A rendered value and what is left to render in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The value; expressions that touch a deferred root are still text.
    pub value: Value,
    /// JSON pointers of the strings that hold such expressions.
    pub deferred: Vec<String>,
}

/// Renders what an earlier rendering left, in place: the strings at those pointers and no others.
/// Pointers that lead nowhere, or to something that is no string, are passed over.
pub fn render_deferred(
    value: &mut Value,
    deferred: &[String],
    scope: &Scope<'_>,
) -> Result<(), Error> {
    for pointer in deferred {
        let Some(place @ Value::String(_)) = value.pointer_mut(pointer) else { continue };
        let at = pointer.trim_start_matches('/').replace('/', ".");
        *place = Template::parse(place).render(scope).map_err(|error| error.at(&at))?;
    }
    Ok(())
}
