//! The macro that declares views.

/// Declares a view: a type around a JSON object, with a method for each member.
///
/// Each method returns an `Option` or a [`List`](crate::view::List) of a type that a member can be
/// [read as](crate::view::FromJson): `Text`, `i64`, `Number`, `bool`, `DateTime`, `Link<T>`, `Json`, another view, an enumeration. A name
/// after `struct NAME =` is that of a schema, as `@odata.type` has it.
///
/// ```
/// use redfish_proto::view::{Link, List, Text};
///
/// redfish_proto::view! {
///     /// A pump of a vendor.
///     pub struct Pump = "AcmePump.Pump" {
///         /// `Model`.
///         pub fn model(&self) -> Option<Text> = "Model";
///         /// `Spares`.
///         pub fn spares(&self) -> List<Link<Pump>> = "Spares";
///     }
/// }
/// ```
#[macro_export]
macro_rules! view {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($members:tt)* }) => {
        $crate::view! { @declare $(#[$doc])* $vis struct $name = ::core::stringify!($name); { $($members)* } }
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident = $type:literal { $($members:tt)* }) => {
        $crate::view! { @declare $(#[$doc])* $vis struct $name = $type; { $($members)* } }
    };
    (@declare $(#[$doc:meta])* $vis:vis struct $name:ident = $type:expr; {
        $($(#[$member_doc:meta])* $member_vis:vis fn $method:ident(&$self:ident) -> $member_type:ty = $member:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq)]
        $vis struct $name($crate::view::Json);

        impl $name {$(
            #[doc = ::core::concat!("`", $member, "`.")]
            $(#[$member_doc])*
            #[inline]
            $member_vis fn $method(&$self) -> $member_type {
                $self.0.read($member)
            }
        )*}

        impl ::core::ops::Deref for $name {
            type Target = $crate::view::Json;

            #[inline]
            fn deref(&self) -> &$crate::view::Json {
                &self.0
            }
        }

        impl $crate::view::View for $name {
            const TYPE: &'static str = $type;

            #[inline]
            fn of(json: $crate::view::Json) -> Self {
                Self(json)
            }
        }

        impl $crate::view::Decode for $name {
            #[inline]
            fn decode(source: $crate::view::Source<'_>) -> ::core::result::Result<Self, $crate::serde_json::Error> {
                source.object().map(Self)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
