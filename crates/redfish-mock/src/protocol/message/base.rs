//! The messages of the `Base` registry that this service uses, in our own words.

use super::{Registry, messages};

messages! {
    Registry::Base,
    /// A message of the `Base` registry. The variant's name is the message's key.
    pub(crate) enum Base {
        ActionParameterMissing: Critical,
            "The action %1 needs the parameter %2, which the request leaves out.",
            "Give the parameter and send the request again.";
        ActionParameterUnknown: Warning,
            "The action %1 has no parameter %2.",
            "Leave the parameter out, or correct its name, and send the request again.";
        ActionParameterValueFormatError: Warning,
            "The value '%1' of the parameter %2 does not have the form that the action %3 takes.",
            "Correct the value and send the request again.";
        ActionParameterValueNotInList: Warning,
            "The value '%1' of the parameter %2 is not one that the action %3 takes.",
            "Choose one of the action's allowable values and send the request again.";
        ActionParameterValueOutOfRange: Warning,
            "The value '%1' of the parameter %2 is outside of the range that the action %3 takes.",
            "Choose a value within the range and send the request again.";
        ActionParameterValueTypeError: Warning,
            "The value '%1' of the parameter %2 has a type that the action %3 does not take.",
            "Correct the value's type and send the request again.";
        Created: Ok,
            "The resource was created.",
            "None.";
        CreateFailedMissingReqProperties: Critical,
            "Nothing was created: the required property %1 is missing from the request.",
            "Add the property with a valid value and send the request again.";
        EventBufferExceeded: Warning,
            "Events were lost, as the service keeps only so many.",
            "Read again what the events would have told of.";
        EventSubscriptionLimitExceeded: Critical,
            "Nothing was subscribed: there are as many subscriptions as the service allows.",
            "Delete subscriptions that are no longer used, then try again.";
        GeneralError: Critical,
            "The request failed for more than one reason.",
            "See @Message.ExtendedInfo for each of them.";
        HeaderInvalid: Warning,
            "The value of the header %1 is not one that this request may have.",
            "Correct the header and send the request again.";
        InsufficientPrivilege: Critical,
            "The account or the credentials of this session do not have the privileges for this operation.",
            "Use an account with a role that may do this, or have the role changed.";
        InternalError: Critical,
            "The service failed, for a reason of its own. It may work if tried again.",
            "Send the request again; if it fails again, look at the service's log.";
        MalformedJSON: Critical,
            "The body of the request is not JSON that can be parsed.",
            "Correct the body of the request and send it again.";
        NoOperation: Warning,
            "The request names nothing that could be changed, and so changed nothing.",
            "Name at least one property that can be written and send the request again.";
        NoValidSession: Critical,
            "The request carries neither a valid session token nor valid credentials.",
            "Create a session, or give credentials, and send the request again.";
        OperationNotAllowed: Critical,
            "This resource does not allow the HTTP method of the request.",
            "Use one of the methods that the header Allow names.";
        PasswordChangeRequired: Critical,
            "The password of this account has to be changed before it may be used. PATCH the property Password of %1.",
            "Change the password of the account, then send the request again.";
        PayloadTooLarge: Critical,
            "The body of the request is larger than this service takes.",
            "Send less at once.";
        PreconditionFailed: Critical,
            "The condition in the request's headers does not hold for the resource as it is.",
            "Read the resource, and try again with its present ETag.";
        PropertyMissing: Warning,
            "The property %1 is required, and missing from the request.",
            "Add the property and send the request again.";
        PropertyNotWritable: Warning,
            "The property %1 cannot be changed.",
            "Leave the property out and send the request again.";
        PropertyUnknown: Warning,
            "This resource has no property %1.",
            "Leave the property out, or correct its name, and send the request again.";
        PropertyValueFormatError: Warning,
            "The value '%1' of the property %2 does not have the form that the property takes.",
            "Correct the value and send the request again.";
        PropertyValueNotInList: Warning,
            "The value '%1' of the property %2 is not one of its allowable values.",
            "Choose one of the allowable values and send the request again.";
        PropertyValueOutOfRange: Warning,
            "The value '%1' of the property %2 is outside of its range.",
            "Choose a value within the range and send the request again.";
        PropertyValueTypeError: Warning,
            "The value '%1' of the property %2 has a type that the property does not take.",
            "Correct the value's type and send the request again.";
        QueryCombinationInvalid: Warning,
            "The query parameters of the request do not go together.",
            "Leave one of them out and send the request again.";
        QueryNotSupported: Warning,
            "This service does not support the query parameter.",
            "Leave the query parameter out and send the request again.";
        QueryNotSupportedOnResource: Warning,
            "This resource does not support the query parameter.",
            "Leave the query parameter out, or use it where it is supported.";
        QueryParameterOutOfRange: Warning,
            "The value '%1' of the query parameter %2 is outside of its range %3.",
            "Choose a value within the range and send the request again.";
        QueryParameterValueFormatError: Warning,
            "The value '%1' of the query parameter %2 does not have the form that the parameter takes.",
            "Correct the value and send the request again.";
        QueryParameterValueTypeError: Warning,
            "The value '%1' of the query parameter %2 has a type that the parameter does not take.",
            "Correct the value's type and send the request again.";
        ResourceAlreadyExists: Critical,
            "A resource of the type %1 with the property %2 of the value '%3' exists already.",
            "Use another value, or change the resource that exists.";
        ResourceAtUriUnauthorized: Critical,
            "The service refused the authentication for %1: %2",
            "Check user name and password, then send the request again.";
        ResourceMissingAtURI: Critical,
            "There is no resource at the URI %1.",
            "Find the resource by following links from the service root.";
        ServiceTemporarilyUnavailable: Critical,
            "The service is not available for the moment. Try again in %1 seconds.",
            "Wait that long, then send the request again.";
        SessionLimitExceeded: Critical,
            "No session could be opened: as many are open as the service allows.",
            "Close sessions that are no longer used, or wait until they expire, then try again.";
        Success: Ok,
            "The request was carried out.",
            "None.";
        UnrecognizedRequestBody: Warning,
            "The body of the request is JSON, but not an object as this request takes it.",
            "Send a JSON object.";
    }
}
