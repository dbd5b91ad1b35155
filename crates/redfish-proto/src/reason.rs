//! Why an input is not accepted, as values to match, each with its text.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $variant:ident => $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {$(
            #[doc = $text]
            $(#[$row])*
            $variant,
        )*}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($name::$variant => $text,)*
                })
            }
        }
    )*};
}

reasons! {
    /// Why a text is not a valid service URL.
    ServiceUrlError {
        UserInfo => "the URL has user info",
        QueryOrFragment => "a query or fragment has no meaning here",
        Path => "the path is not /redfish/v1",
        Scheme => "the scheme is neither https nor http",
        MissingPort => "a colon without a port",
        PortRange => "the port is not between 1 and 65535",
        Port => "the port is not a number",
        Ipv6Address => "not an IPv6 address between brackets",
        MissingHost => "the host is missing",
        HostCharacter => "the host has a character that is not allowed",
    }

    /// Why a text is not a URI of the service.
    TargetError {
        Empty => "the link is empty",
        TooLong => "the link is longer than 16384 bytes",
        ControlCharacter => "the link has a control character",
        OtherService => "the URL is that of another service",
        NotReceived => "the JSON was not received from a service",
        PartOfResource => "it is a part of another resource, and has no URI of its own",
        NotASession => "the URI is not that of a session",
        SessionOfOtherService => "the URI of the session is at another service",
    }

    /// How it is known that a session is alive, or that credentials are valid, although a request was answered 401.
    SessionAlive {
        Confirmed => "the session is alive",
        NewSessionRefused => "also with a new session",
        OthersAccepted => "other resources accept the same credentials",
    }

    /// What a service does not support.
    Feature {
        Updates => "updates",
        Push => "pushed images",
        PushParameters => "pushed images with parameters",
        EventStream => "an event stream",
        Subscriptions => "subscriptions to events",
        ExpandKind => "$expand of this kind",
        ExpandDepth => "$expand to this depth",
        Select => "$select",
        Filter => "$filter",
        TopSkip => "$top and $skip",
        Only => "the query parameter only",
        Excerpt => "the query parameter excerpt",
    }

    /// Why a redirect is not followed.
    RedirectError {
        NoLocation => "without Location",
        CrossOrigin => "to another origin",
        MovesWrite => "of a write to another resource",
        MovesLogout => "of a logout to another resource",
        PayloadConsumed => "that needs the payload a second time",
        Loop => "loop",
        LimitExceeded => "limit exceeded",
    }

    /// Why credentials cannot be sent.
    CredentialsError {
        EmptyUser => "the user name is empty",
        ColonInUser => "Basic authentication does not allow a colon in the user name",
        ControlCharacter => "Basic authentication does not allow a control character",
        Token => "the token is not valid in a header",
    }

    /// Why a request cannot be made from what the caller passed, or a result cannot be returned.
    RequestError {
        NoJson => "the value has no JSON form",
        NoChanges => "there are no changes",
        Payload => "the payload could not be read, so it was not sent completely",
        Output => "the response could not be written",
        EventId => "the id of an event is not valid in a header",
        Boundary => "no random bytes for the multipart boundary",
        MediaType => "the media type is not valid",
    }
}
