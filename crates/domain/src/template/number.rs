//! Numbers as expressions and conditions compare them: 3 equals 3.0, and nothing is rounded to find out.

use std::cmp::Ordering;

/// A number of JSON or of an expression.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// Without a fraction in its notation.
    Int(i128),
    /// With one. Never NaN when it comes from JSON.
    Float(f64),
}

impl Number {
    /// The number that JSON holds.
    pub(crate) fn of_json(number: &serde_json::Number) -> Self {
        number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
    }

    /// The number an expression computed; booleans are not numbers.
    pub(crate) fn of_value(value: &minijinja::Value) -> Option<Self> {
        if !value.is_number() {
            return None;
        }
        if value.is_integer() {
            return i128::try_from(value.clone()).ok().map(Self::Int);
        }
        f64::try_from(value.clone()).ok().map(Self::Float)
    }

    /// Its value as a floating point number, rounded where needed.
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The same number as an integer, if it is one.
    pub(crate) fn exact(self) -> Option<i128> {
        /// Every float below this converts to `i128` without loss.
        const SAFE: f64 = 1e38;
        match self {
            Self::Int(int) => Some(int),
            Self::Float(float) if float.fract() == 0.0 && float.abs() < SAFE => Some(float as i128),
            Self::Float(_) => None,
        }
    }

    /// The order of two numbers, exact across notations; `None` only for NaN.
    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        match (self.exact(), other.exact()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number::{self, Float, Int};
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn numbers_compare_by_value_and_not_by_notation() {
        let rows: [(Number, Number, std::cmp::Ordering); 5] = [
            (Int(3), Float(3.0), Equal),
            (Int(3), Float(3.5), Less),
            (Float(-0.5), Int(-1), Greater),
            // 2^53 + 1 has no float of its own and must not equal its neighbour.
            (Int(9_007_199_254_740_993), Float(9_007_199_254_740_992.0), Greater),
            (Int(i128::from(u64::MAX)), Float(1e300), Less),
        ];
        for (left, right, order) in rows {
            assert_eq!(left.order(right), Some(order), "{left:?} against {right:?}");
            assert_eq!(right.order(left), Some(order.reverse()), "{right:?} against {left:?}");
        }
    }
}
