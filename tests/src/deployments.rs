//! The same test on every deployment.

/// Makes a test of each of these functions, which are generic over a [`crate::contract::Fixture`], for each
/// deployment: `embedded::its_name` and `cloud::its_name`.
#[macro_export]
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $crate::on! { embedded on $crate::embedded::Embedded: $($case),* }
        $crate::on! { cloud on $crate::cloud::Cloud: $($case),* }
    };
}

/// Makes a test of each of these functions, which are generic over a [`crate::server::Deployment`], for each
/// deployment: `embedded::its_name` and `cloud::its_name`.
#[macro_export]
macro_rules! over_http_on_both {
    ($($case:ident),* $(,)?) => {
        $crate::on! { embedded on $crate::server::Alone: $($case),* }
        $crate::on! { cloud on $crate::cloud::Deployed: $($case),* }
    };
}

/// Makes a test of each of these functions for one deployment.
#[macro_export]
macro_rules! on {
    ($name:ident on $fixture:ty: $($case:ident),* $(,)?) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case::<$fixture>().await;
                }
            )*
        }
    };
}
