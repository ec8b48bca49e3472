//! The `attune` binary as a whole: started, asked over HTTP, interrupted, killed.

mod server {
    mod actions;
    mod cloud;
    mod definitions;
    mod kills;
    mod lives;
    mod policies;
    mod refusals;
    mod secrets;
    mod start;
    mod traffic;
    mod verdict;
}
