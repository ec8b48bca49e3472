//! Percentiles of measured times.

use std::time::Duration;

/// The value that `percent` of the samples do not exceed (nearest rank), in milliseconds; zero of
/// no samples. Sorts the samples.
pub fn percentile_ms(samples: &mut [Duration], percent: u32) -> f64 {
    samples.sort_unstable();
    let rank = (samples.len() * percent as usize).div_ceil(100).max(1);
    samples.get(rank - 1).map_or(0.0, |sample| sample.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut hundred: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        let mut three = [30, 10, 20].map(Duration::from_millis);
        for (percent, of_hundred, of_three) in
            [(50, 50.0, 20.0), (95, 95.0, 30.0), (100, 100.0, 30.0)]
        {
            assert_eq!(percentile_ms(&mut hundred, percent), of_hundred);
            assert_eq!(percentile_ms(&mut three, percent), of_three);
        }
        assert_eq!(percentile_ms(&mut [], 50), 0.0);
    }
}
