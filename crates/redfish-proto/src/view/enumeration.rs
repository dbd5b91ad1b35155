//! Enumerations that services may extend.

use std::fmt;

/// Text with known values, and others that a service may send. Made by [`enumeration!`](crate::enumeration!).
pub trait Enumeration: Clone + fmt::Display + PartialEq + 'static {
    /// The known values, in the order of the schema.
    const VALUES: &'static [Self];

    /// The value as it is sent.
    fn as_str(&self) -> &str;

    /// The value with this text, in any letter case.
    fn of(text: &str) -> Self;
}

/// Finds a known value: the one with this text, or else the one that differs in letter case or white space around it only.
#[doc(hidden)]
pub fn known_value<T: Enumeration>(text: &str) -> Option<T> {
    let text = text.trim();
    let exact = T::VALUES.iter().find(|value| value.as_str() == text);
    exact.or_else(|| T::VALUES.iter().find(|value| value.as_str().eq_ignore_ascii_case(text))).cloned()
}

/// Declares an enumeration whose values are texts. Other texts are kept as `Other`.
///
/// ```
/// use redfish_proto::view::Enumeration;
///
/// redfish_proto::enumeration! {
///     /// The colors of a lamp.
///     pub enum Color {
///         Amber = "Amber",
///         Blue = "Blue",
///     }
/// }
/// assert_eq!(Color::of("Blue"), Color::Blue);
/// assert_eq!(Color::of("Teal").as_str(), "Teal");
/// ```
#[macro_export]
macro_rules! enumeration {
    ($(#[$doc:meta])* $vis:vis enum $name:ident {
        $($(#[$value_doc:meta])* $value:ident = $text:literal),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone)]
        #[non_exhaustive]
        $vis enum $name {
            $(#[doc = concat!("`", $text, "`.")] $(#[$value_doc])* $value,)*
            /// A value that the schema does not list, as the service sent it.
            Other(::std::boxed::Box<str>),
        }

        impl $name {
            /// The value as it is sent.
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$value => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl $crate::view::Enumeration for $name {
            const VALUES: &'static [Self] = &[$(Self::$value),*];

            #[inline]
            fn as_str(&self) -> &str {
                self.as_str()
            }

            #[inline]
            fn of(text: &str) -> Self {
                $crate::view::known_value(text).unwrap_or_else(|| Self::Other(text.into()))
            }
        }

        impl $crate::view::FromJson for $name {
            #[inline]
            fn from_json(json: $crate::view::JsonRef<'_>) -> ::core::option::Option<Self> {
                json.to_str().map(|text| $crate::view::Enumeration::of(&text))
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            #[inline]
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::Ok($crate::view::Enumeration::of(text))
            }
        }

        impl ::core::convert::From<&str> for $name {
            #[inline]
            fn from(text: &str) -> Self {
                $crate::view::Enumeration::of(text)
            }
        }

        impl ::core::convert::From<$name> for $crate::serde_json::Value {
            #[inline]
            fn from(value: $name) -> Self {
                value.as_str().into()
            }
        }

        impl ::core::convert::From<$name> for $crate::view::Encoded {
            #[inline]
            fn from(value: $name) -> Self {
                value.as_str().into()
            }
        }

        impl ::core::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::core::cmp::PartialEq for $name {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl ::core::cmp::Eq for $name {}

        impl ::core::cmp::PartialEq<str> for $name {
            #[inline]
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl ::core::cmp::PartialEq<&str> for $name {
            #[inline]
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl ::core::hash::Hash for $name {
            #[inline]
            fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
    };
}
