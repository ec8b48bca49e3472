//! The contract of the ports, kept by both deployments.

mod embedded {
    attune_tests::contract!(attune_tests::embedded::Embedded);
}

mod cloud {
    attune_tests::contract!(attune_tests::cloud::Cloud);
}
