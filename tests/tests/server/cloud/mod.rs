//! What only the cloud does: its functions die one by one, and its events come from elsewhere.

mod cost;
mod events;
mod kills;
mod load;
mod references;
mod workflows;
