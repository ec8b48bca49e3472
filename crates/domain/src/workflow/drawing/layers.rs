//! Which node stands in which row, so that most edges lead down.
//!
//! A node stands below all from which an edge leads to it, except for edges that close a circle: the longest path to
//! it says how deep. Edges over several rows get a place to pass through in each. Within a row whoever hangs on the
//! left stands on the left.

use std::cmp::Ordering;

/// Places for passing through that a drawing has, at most. With more it would be black; then long edges are straight.
const MOST_PASSAGES: usize = 5_000;

/// What stands at a place in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A node.
    Node(usize),
    /// An edge that passes through.
    Passage,
}

/// Row and place in the row.
pub(super) type Place = (usize, usize);

/// Nodes in rows.
#[derive(Debug)]
pub(super) struct Layers {
    /// From the top.
    pub(super) rows: Vec<Vec<Slot>>,
    /// Where each edge comes through from its start to its end; `None`, it leads back.
    pub(super) ways: Vec<Option<Vec<Place>>>,
    /// Where each node stands.
    pub(super) places: Vec<Place>,
}

impl Layers {
    /// Places so many nodes with these edges.
    pub(super) fn of(nodes: usize, edges: &[(usize, usize)]) -> Self {
        let (order, back) = depth_first(nodes, edges);
        let ranks = ranks(&order, edges, &back);
        let span = |&(from, to): &(usize, usize)| ranks[to] - ranks[from];
        let forward = || edges.iter().zip(&back).filter(|(_, back)| !**back);
        let passages: usize = forward().map(|(edge, _)| span(edge).saturating_sub(1)).sum();
        let passing = passages <= MOST_PASSAGES;

        // Slots are numbered: nodes first, then passages.
        let mut rank_of: Vec<usize> = ranks.clone();
        let mut above: Vec<Vec<usize>> = vec![Vec::new(); nodes];
        let mut chains: Vec<Option<Vec<usize>>> = Vec::with_capacity(edges.len());
        for (edge, back) in edges.iter().zip(&back) {
            if *back {
                chains.push(None);
                continue;
            }
            let (from, to) = *edge;
            let mut chain = vec![from];
            for rank in ranks[from] + 1..ranks[to] {
                if passing {
                    above.push(vec![chain[chain.len() - 1]]);
                    chain.push(rank_of.len());
                    rank_of.push(rank);
                }
            }
            above[to].push(chain[chain.len() - 1]);
            chain.push(to);
            chains.push(Some(chain));
        }
        let mut rows: Vec<Vec<usize>> =
            vec![Vec::new(); rank_of.iter().max().map_or(0, |max| max + 1)];
        for (slot, rank) in rank_of.iter().enumerate() {
            rows[*rank].push(slot);
        }
        let columns = arrange(&mut rows, &above);
        let place = |slot: usize| (rank_of[slot], columns[slot]);
        let slot = |slot: usize| if slot < nodes { Slot::Node(slot) } else { Slot::Passage };
        Self {
            ways: chains
                .into_iter()
                .map(|chain| chain.map(|chain| chain.into_iter().map(place).collect()))
                .collect(),
            places: (0..nodes).map(place).collect(),
            rows: rows.into_iter().map(|row| row.into_iter().map(slot).collect()).collect(),
        }
    }

    /// The nodes from top to bottom, each row from left to right.
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().flatten().filter_map(|slot| match slot {
            Slot::Node(node) => Some(*node),
            Slot::Passage => None,
        })
    }
}

/// The nodes in an order in which every edge leads on, but for those that lead back.
fn depth_first(nodes: usize, edges: &[(usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut entered = vec![true; nodes];
    for (number, (from, to)) in edges.iter().enumerate() {
        out[*from].push(number);
        entered[*to] &= from == to;
    }
    let mut back = vec![false; edges.len()];
    let mut order = Vec::with_capacity(nodes);
    let (mut seen, mut open) = (vec![false; nodes], vec![false; nodes]);
    let starts = (0..nodes).filter(|node| entered[*node]).chain(0..nodes);
    for start in starts {
        if seen[start] {
            continue;
        }
        (seen[start], open[start]) = (true, true);
        // Not recursive: a workflow may be thousands of tasks deep.
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let Some(&edge) = out[*node].get(*next) else {
                open[*node] = false;
                order.push(*node);
                stack.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].1;
            back[edge] = open[to];
            if !seen[to] {
                (seen[to], open[to]) = (true, true);
                stack.push((to, 0));
            }
        }
    }
    order.reverse();
    (order, back)
}

fn ranks(order: &[usize], edges: &[(usize, usize)], back: &[bool]) -> Vec<usize> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for ((from, to), _) in edges.iter().zip(back).filter(|(_, back)| !**back) {
        out[*from].push(*to);
    }
    let mut ranks = vec![0; order.len()];
    for &node in order {
        for &to in &out[node] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
        }
    }
    ranks
}

/// Orders each row by where those stand in the rows above that it hangs on; answers each slot's place in its row.
fn arrange(rows: &mut [Vec<usize>], above: &[Vec<usize>]) -> Vec<usize> {
    let mut columns = vec![0; above.len()];
    for row in rows {
        // Rows may be of any length; what counts is the place on the whole width.
        let mean = |slot: &usize| {
            let above = &above[*slot];
            let sum: usize = above.iter().map(|slot| columns[*slot]).sum();
            // The counts of a drawing are exact in a float.
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let mean = sum as f64 / above.len().max(1) as f64;
            mean
        };
        let mut sorted: Vec<(f64, usize)> = row.iter().map(|slot| (mean(slot), *slot)).collect();
        sorted.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        *row = sorted.into_iter().map(|(_, slot)| slot).collect();
        for (column, slot) in row.iter().enumerate() {
            columns[*slot] = column;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stand_below_those_that_lead_to_them() {
        for (why, nodes, edges, rows) in [
            ("nothing", 0, vec![], vec![]),
            ("alone", 1, vec![], vec![vec![0]]),
            ("a chain", 3, vec![(0, 1), (1, 2)], vec![vec![0], vec![1], vec![2]]),
            (
                "a fork and a join",
                4,
                vec![(0, 1), (0, 2), (1, 3), (2, 3)],
                vec![vec![0], vec![1, 2], vec![3]],
            ),
            (
                "the longest way counts",
                3,
                vec![(0, 2), (0, 1), (1, 2)],
                vec![vec![0], vec![1], vec![2]],
            ),
            ("a loop", 3, vec![(0, 1), (1, 0), (1, 2)], vec![vec![0], vec![1], vec![2]]),
            ("a node on itself", 2, vec![(0, 0), (0, 1)], vec![vec![0], vec![1]]),
            ("nothing but a circle", 2, vec![(0, 1), (1, 0)], vec![vec![0], vec![1]]),
            (
                "who hangs on the right stands on the right",
                4,
                vec![(1, 2), (0, 3)],
                vec![vec![0, 1], vec![3, 2]],
            ),
        ] {
            let layers = Layers::of(nodes, &edges);
            let only_nodes = |row: &Vec<Slot>| -> Vec<usize> {
                let node = |slot: &Slot| match slot {
                    Slot::Node(node) => Some(*node),
                    Slot::Passage => None,
                };
                row.iter().filter_map(node).collect()
            };
            let found: Vec<Vec<usize>> = layers.rows.iter().map(only_nodes).collect();
            assert_eq!(found, rows, "{why}");
        }
    }

    #[test]
    fn a_long_edge_passes_through_every_row_unless_there_are_too_many() {
        let layers = Layers::of(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        let way = layers.ways[3].as_ref().map(|way| way.iter().map(|place| place.0).collect());
        assert_eq!(way, Some(vec![0, 1, 2, 3]));
        let tasks = 2_000;
        let mut edges: Vec<_> = (1..tasks).map(|to| (to - 1, to)).collect();
        edges.extend((0..tasks - 1).map(|from| (from, tasks - 1)));
        let layers = Layers::of(tasks, &edges);
        assert_eq!((layers.rows.len(), layers.rows.iter().flatten().count()), (tasks, tasks));
    }
}
