//! The suites of both adapters: one function a test, over whatever [`Adapter`](crate::adapter::Adapter) it is given.
//!
//! An adapter makes them its own tests with [`suites!`](crate::suites!), each under its name.

/// Lists the tests of a file, and makes a macro of the file's name that makes each of them a `#[test]`. A function that is
/// not in the list is dead code.
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
pub mod life;
pub mod limits;
pub mod push;
pub mod resources;
pub mod stories;
pub mod stream;
pub mod upload;

/// Makes every test of the suites a `#[test]` for this client. Two are separate: `large!` measures its process,
/// and the stories of `stories!` are counted.
#[macro_export]
macro_rules! suites {
    ($client:ident) => {
        $crate::conformance!($client);
        $crate::download!($client);
        $crate::events!($client);
        $crate::features!($client);
        $crate::life!($client);
        $crate::limits!($client);
        $crate::push!($client);
        $crate::resources!($client);
        $crate::stream!($client);
        $crate::upload!($client);
    };
}
