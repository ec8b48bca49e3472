//! The contract of the ports, kept by the embedded deployment.

attune_tests::contract!(attune_tests::embedded::Embedded);
