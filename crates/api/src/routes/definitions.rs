//! What the routes of all kinds of definitions share: whom they are shown to, and how they are listed.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::paging::{CATALOGUE, Paging};
use crate::{Context, Error, envelope};
use attune_catalogue::read::{self, Listing, Part};
use attune_catalogue::{Definition, name_of};
use attune_domain::reference::{ComponentRef, PackRef};
use axum::response::Response;
use serde::Serialize;

impl From<attune_catalogue::Error> for Error {
    fn from(error: attune_catalogue::Error) -> Self {
        use attune_catalogue::Error as Cause;
        let text = error.to_string();
        match error {
            Cause::NotFound { .. } => Self::NotFound(text),
            Cause::Conflict(_) | Cause::Contended => Self::Conflict(text),
            Cause::Invalid(_) => Self::Invalid(text),
            Cause::BadRef(_) => Self::Unprocessable(text),
            Cause::Refused(_) => Self::BadRequest(text),
            Cause::Unavailable(cause) => Self::Unavailable(cause),
            Cause::Unreadable(cause) => cause.into(),
        }
    }
}

/// Reads the ref of a new definition.
pub(crate) fn component_ref(text: &str) -> Result<ComponentRef, Error> {
    ComponentRef::parse(text).map_err(|error| Error::Unprocessable(error.to_string()))
}

/// Reads the ref of a new pack.
pub(crate) fn pack_ref(text: &str) -> Result<PackRef, Error> {
    PackRef::parse(text).map_err(|error| Error::Unprocessable(error.to_string()))
}

/// A definition as grants see it.
pub(crate) fn target<T: Definition>(definition: &T) -> Target<'_> {
    Target {
        id: Some(definition.id()),
        reference: Some(definition.reference()),
        pack_ref: definition.pack(),
        ..Target::default()
    }
}

/// A definition to be made, as grants see it.
pub(crate) fn planned<'a>(reference: &'a str, pack_ref: Option<&'a str>) -> Target<'a> {
    Target { reference: Some(reference), pack_ref, ..Target::default() }
}

/// The definition of that ref, if the caller may see it: what is hidden is not there.
pub(crate) async fn visible<T: Definition>(
    context: &Context,
    caller: &Caller,
    resource: Resource,
    reference: &str,
) -> Result<T, Error> {
    caller.require_some(resource, Action::Read)?;
    let found = read::require::<T>(&context.ports, reference).await?;
    shown(caller, resource, found, reference)
}

/// The definition of that id, if the caller may see it.
pub(crate) async fn visible_by_id<T: Definition>(
    context: &Context,
    caller: &Caller,
    resource: Resource,
    id: i64,
) -> Result<T, Error> {
    caller.require_some(resource, Action::Read)?;
    let found = read::by_id::<T>(&context.ports, id).await?;
    shown(caller, resource, found, id)
}

fn shown<T: Definition>(
    caller: &Caller,
    resource: Resource,
    found: T,
    name: impl std::fmt::Display,
) -> Result<T, Error> {
    if caller.may(resource, Action::Read, target(&found)) {
        Ok(found)
    } else {
        Err(Error::not_found(name_of(T::KIND), name))
    }
}

/// The definition of that ref, which the caller wants to change.
pub(crate) async fn changeable<T: Definition>(
    context: &Context,
    caller: &Caller,
    resource: Resource,
    action: Action,
    reference: &str,
) -> Result<T, Error> {
    caller.require_some(resource, action)?;
    let found = read::require::<T>(&context.ports, reference).await?;
    caller.require_on(resource, action, target(&found))?;
    Ok(found)
}

/// Insists that some definition exists, for lists of what belongs to it.
pub(crate) async fn exists<T: Definition>(context: &Context, reference: &str) -> Result<(), Error> {
    Ok(read::require::<T>(&context.ports, reference).await.map(drop)?)
}

/// The page of all definitions of a kind that the caller may read.
pub(crate) async fn list<T: Definition, W: Serialize>(
    context: &Context,
    caller: &Caller,
    resource: Resource,
    paging: &Paging,
    row: impl Fn(T) -> W,
) -> Result<Response, Error> {
    caller.require_some(resource, Action::Read)?;
    if !caller.grants().allow_all(resource, Action::Read) {
        return list_where(context, caller, resource, paging, |_: &T| true, row).await;
    }
    let view = View::of(paging)?;
    let found = read::page::<T>(&context.ports, &view.part).await?;
    Ok(view.answer(context, found, row))
}

/// The page of those definitions of a kind that `wanted` accepts and the caller may read.
pub(crate) async fn list_where<T: Definition, W: Serialize>(
    context: &Context,
    caller: &Caller,
    resource: Resource,
    paging: &Paging,
    wanted: impl Fn(&T) -> bool + Send + Sync,
    row: impl Fn(T) -> W,
) -> Result<Response, Error> {
    caller.require_some(resource, Action::Read)?;
    let view = View::of(paging)?;
    let may = |found: &T| caller.may(resource, Action::Read, target(found));
    let found =
        read::filtered::<T>(&context.ports, &view.part, |found| wanted(found) && may(found))
            .await?;
    Ok(view.answer(context, found, row))
}

/// One page of a list of definitions: the part to read, and the answer made of it.
pub(crate) struct View {
    slice: crate::paging::Slice,
    /// What to read: one more than the page has, to know whether there is another.
    pub(crate) part: Part,
}

impl View {
    pub(crate) fn of(paging: &Paging) -> Result<Self, Error> {
        let slice = paging.within(CATALOGUE)?;
        let part = Part {
            after: slice.after.clone(),
            offset: slice.offset,
            limit: slice.size as usize + 1,
        };
        Ok(Self { slice, part })
    }

    pub(crate) fn answer<T: Definition, W: Serialize>(
        &self,
        context: &Context,
        mut found: Listing<T>,
        row: impl Fn(T) -> W,
    ) -> Response {
        let size = self.slice.size as usize;
        let more = found.items.len() > size;
        found.items.truncate(size);
        let next = found.items.last().filter(|_| more).map(|last| last.reference().to_owned());
        let meta = self.slice.meta(Some(found.total), next.as_deref());
        envelope::list(context.config.list_envelope, found.items.into_iter().map(row), &meta)
    }
}
