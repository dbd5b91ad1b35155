//! The tests of both adapters, as functions that are generic over [`Adapter`](crate::adapter::Adapter).
//!
//! An adapter turns them into its own tests with [`suites!`](crate::suites!).

/// Lists the tests of a file, and defines a macro with the file's name that turns each of them into a `#[test]`. The
/// compiler reports a function that is not in the list as dead code.
macro_rules! suite {
    (($d:tt) $suite:ident: $($name:ident,)*) => {
        $(
            #[doc(hidden)]
            pub mod $name {
                pub fn test<A: $crate::adapter::Adapter>() {
                    super::$name::<A>();
                }
            }
        )*

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $suite {
            ($d client:ident) => {
                mod $suite {
                    $(
                        #[test]
                        fn $name() {
                            $crate::suite::$suite::$name::test::<super::$d client>();
                        }
                    )*
                }
            };
        }
    };
}

pub mod conformance;
pub mod download;
pub mod events;
pub mod features;
pub mod large;
pub mod limits;
pub mod push;
pub mod refusal;
pub mod resources;
pub mod sessions;
pub mod stream;
pub mod transcripts;
pub mod typed;
pub mod upload;
pub mod walk;

/// Turns every test of the suites into a `#[test]` for this client. Two suites are separate: `large!` measures its process,
/// and CI counts the transcripts of `transcripts!`.
#[macro_export]
macro_rules! suites {
    ($client:ident) => {
        $crate::conformance!($client);
        $crate::download!($client);
        $crate::events!($client);
        $crate::features!($client);
        $crate::limits!($client);
        $crate::push!($client);
        $crate::refusal!($client);
        $crate::resources!($client);
        $crate::sessions!($client);
        $crate::stream!($client);
        $crate::typed!($client);
        $crate::upload!($client);
        $crate::walk!($client);
    };
}
