//! The `attune` binary as a whole: started, asked over HTTP, interrupted, killed.

mod server {
    mod actions;
    mod cloud;
    mod dead_letters;
    mod definitions;
    mod examples;
    mod inquiries;
    mod kills;
    mod lives;
    mod logs;
    mod packs;
    mod policies;
    mod refusals;
    mod secrets;
    mod start;
    mod streams;
    mod traffic;
    mod verdict;
    mod watching;
    mod workflow_kills;
    mod workflows;
}
