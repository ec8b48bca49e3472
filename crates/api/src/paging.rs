//! Which part of a list is asked for, and where the answer stands in it.
//!
//! `page` with `page_size` or `per_page`, `offset` with `limit`, and `cursor` are all accepted
//! everywhere. Sizes over the cap of a list are cut, and the answer says so.

use crate::Error;
use crate::extract::Query;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Offsets over this are refused for lists that grow without bound; the cursor has no such limit.
pub const DEEPEST: u64 = 10_000;

/// Sizes of the pages of a list.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Rows of a page where none were asked for.
    pub default: u32,
    /// Rows of a page at most.
    pub cap: u32,
    /// The largest offset, where there is one.
    pub deepest: Option<u64>,
}

/// Lists of definitions.
pub const CATALOGUE: Bounds = Bounds { default: 50, cap: 100, deepest: None };
/// Lists of executions.
pub const EXECUTIONS: Bounds = Bounds { default: 20, cap: 100, deepest: Some(DEEPEST) };
/// Lists of inquiries.
pub const INQUIRIES: Bounds = Bounds { default: 50, cap: 500, deepest: Some(DEEPEST) };
/// Lists of executions that belong to something.
pub const BELONGING: Bounds = Bounds { default: 50, cap: 100, deepest: Some(DEEPEST) };
/// Lists of events and enforcements.
pub const EVENTS: Bounds = Bounds { default: 50, cap: 1000, deepest: Some(DEEPEST) };

/// The part of a list that is asked for, as the query string has it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Page, from 1.
    #[param(minimum = 1)]
    pub page: Option<u32>,
    /// Rows of a page.
    #[param(minimum = 1)]
    pub page_size: Option<u32>,
    /// The same.
    #[param(minimum = 1)]
    pub per_page: Option<u32>,
    /// The same, together with `offset`.
    #[param(minimum = 1)]
    pub limit: Option<u32>,
    /// Rows to leave out.
    pub offset: Option<u64>,
    /// Where to go on: `pagination.next_cursor` of the page before. Wins over `page` and `offset`.
    pub cursor: Option<String>,
    /// Whether to count. By default only what is cheap to count is.
    pub include_total: Option<bool>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Query(paging) = Query::of(&parts.uri)?;
        Ok(paging)
    }
}

/// The part of a list that is asked for, within its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Page, from 1.
    pub page: u32,
    /// Rows.
    pub size: u32,
    /// Rows to leave out.
    pub offset: u64,
    /// Sort key to go on after; then `offset` is 0.
    pub after: Option<String>,
    /// Whether to count.
    pub include_total: Option<bool>,
}

impl Paging {
    /// What it means for a list with these bounds.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a size or page of zero, a bad cursor, or a page too deep.
    pub fn within(&self, bounds: Bounds) -> Result<Slice, Error> {
        let size = self.per_page.or(self.page_size).or(self.limit).unwrap_or(bounds.default);
        if size == 0 {
            return Err(Error::BadRequest("The page size must be at least 1".into()));
        }
        let size = size.min(bounds.cap);
        let include_total = self.include_total;
        if let Some(cursor) = &self.cursor {
            let after = read_cursor(cursor)
                .ok_or_else(|| Error::BadRequest("The cursor is not one of this list".into()))?;
            let page = self.page.unwrap_or(1).max(1);
            return Ok(Slice { page, size, offset: 0, after: Some(after), include_total });
        }
        let (page, offset) = match (self.page, self.offset) {
            (Some(0), _) => return Err(Error::BadRequest("Pages count from 1".into())),
            (Some(page), _) => (page, u64::from(page - 1) * u64::from(size)),
            (None, offset) => {
                let offset = offset.unwrap_or(0);
                let page = u32::try_from(offset / u64::from(size) + 1).unwrap_or(u32::MAX);
                (page, offset)
            }
        };
        if bounds.deepest.is_some_and(|deepest| offset > deepest) {
            return Err(Error::BadRequest(format!(
                "Pages beyond the first {DEEPEST} rows are read with `cursor`: pass on `pagination.next_cursor`"
            )));
        }
        Ok(Slice { page, size, offset, after: None, include_total })
    }
}

/// Where a page stands in its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaginationMeta {
    /// Page, from 1.
    pub page: u32,
    /// Rows of a page, as cut to the cap.
    pub page_size: u32,
    /// Rows in all; `null` where nobody counted.
    pub total_items: Option<u64>,
    /// Pages in all; `null` where nobody counted.
    pub total_pages: Option<u64>,
    /// Whether there is a page before.
    pub has_previous: bool,
    /// Whether there is a page after.
    pub has_next: bool,
    /// Where that goes on.
    pub next_cursor: Option<String>,
}

impl Slice {
    /// Where the page stands, given all rows (if counted) and the sort key that the next one goes on after.
    #[must_use]
    pub fn meta(&self, total: Option<u64>, next: Option<&str>) -> PaginationMeta {
        PaginationMeta {
            page: self.page,
            page_size: self.size,
            total_items: total,
            total_pages: total.map(|total| total.div_ceil(u64::from(self.size))),
            has_previous: self.offset > 0 || self.after.is_some(),
            has_next: next.is_some(),
            next_cursor: next.map(hex::encode),
        }
    }
}

/// The sort key in a cursor. Opaque to clients: hexadecimal, so that it needs no escaping.
fn read_cursor(cursor: &str) -> Option<String> {
    let bytes = hex::decode(cursor).ok().filter(|bytes| !bytes.is_empty())?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Result<Slice, Error> {
        let uri = format!("/x?{query}").parse().unwrap();
        Query::<Paging>::of(&uri)?.0.within(EXECUTIONS)
    }

    #[test]
    fn every_way_of_asking_means_the_same() {
        for (query, page, size, offset) in [
            ("", 1, 20, 0),
            ("page=3", 3, 20, 40),
            ("page=2&page_size=10", 2, 10, 10),
            ("page=2&per_page=10", 2, 10, 10),
            ("limit=10&offset=20", 3, 10, 20),
            ("limit=10&offset=5", 1, 10, 5),
            ("per_page=5000", 1, 100, 0),
            ("page=101&per_page=5000", 101, 100, 10_000),
            ("unknown=1", 1, 20, 0),
        ] {
            let slice = ask(query).unwrap();
            assert_eq!((slice.page, slice.size, slice.offset), (page, size, offset), "{query}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for query in [
            "page=0",
            "per_page=0",
            "page=-1",
            "page=x",
            "cursor=zz",
            "cursor=",
            "offset=-2",
            "include_total=maybe",
        ] {
            assert!(matches!(ask(query), Err(Error::BadRequest(_))), "{query}");
        }
        let Err(Error::BadRequest(text)) = ask("page=600&per_page=20") else {
            panic!("a deep page is refused")
        };
        assert!(text.contains("`cursor`"), "{text}");
    }

    #[test]
    fn a_cursor_leads_where_the_page_before_ended() {
        let first = ask("per_page=2").unwrap().meta(Some(5), Some("0000000000000042"));
        assert_eq!((first.total_pages, first.has_next, first.has_previous), (Some(3), true, false));
        let next = ask(&format!("cursor={}", first.next_cursor.unwrap())).unwrap();
        assert_eq!(next.after.as_deref(), Some("0000000000000042"));
        assert!(next.meta(None, None).has_previous);
    }
}
