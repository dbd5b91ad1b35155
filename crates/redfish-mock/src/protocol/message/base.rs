//! The messages of the `Base` registry that this service uses.

use super::registry::{Registry, messages};

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
        CreateLimitReachedForResource: Critical,
            "Nothing was created or changed: the service has no room for more.",
            "Delete resources that are no longer used, then try again.";
        EventBufferExceeded: Warning,
            "Events were lost because the service keeps only a limited number of them.",
            "Read the resources again.";
        EventSubscriptionLimitExceeded: Critical,
            "The subscription was not created because the maximum number of subscriptions is reached.",
            "Delete subscriptions that are no longer used, then try again.";
        GeneralError: Critical,
            "The request failed for more than one reason.",
            "See @Message.ExtendedInfo for each of them.";
        HeaderInvalid: Warning,
            "The value of the header %1 is not valid for this request.",
            "Correct the header and send the request again.";
        InsufficientPrivilege: Critical,
            "The account or the credentials of this session do not have the privileges for this operation.",
            "Use an account whose role has the privileges, or have the role changed.";
        InternalError: Critical,
            "The service failed because of an internal error. The request may succeed if it is sent again.",
            "Send the request again; if it fails again, look at the service's log.";
        MalformedJSON: Critical,
            "The body of the request is not valid JSON.",
            "Correct the body of the request and send it again.";
        NoOperation: Warning,
            "The request contains no property that can be changed, so nothing was changed.",
            "Include at least one writable property and send the request again.";
        NoValidSession: Critical,
            "The request carries neither a valid session token nor valid credentials.",
            "Create a session, or provide credentials, and send the request again.";
        OperationNotAllowed: Critical,
            "This resource does not allow the HTTP method of the request.",
            "Use one of the methods in the header Allow.";
        PasswordChangeRequired: Critical,
            "The password of this account has to be changed before it may be used. PATCH the property Password of %1.",
            "Change the password of the account, then send the request again.";
        PayloadTooLarge: Critical,
            "The body of the request is larger than this service accepts.",
            "Send a smaller body.";
        PreconditionFailed: Critical,
            "The precondition in the headers of the request is not met.",
            "Read the resource, and try again with its current ETag.";
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
            "The query parameters of the request cannot be combined.",
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
            "A resource of the type %1 whose property %2 has the value '%3' already exists.",
            "Use another value, or change the existing resource.";
        ResourceAtUriUnauthorized: Critical,
            "The service refused the authentication for %1: %2",
            "Check user name and password, then send the request again.";
        ResourceInUse: Warning,
            "The resource is in use, so it is not changed.",
            "Release the resource and send the request again.";
        ResourceMissingAtURI: Critical,
            "There is no resource at the URI %1.",
            "Find the resource by following links from the service root.";
        ServiceTemporarilyUnavailable: Critical,
            "The service is temporarily unavailable. Try again in %1 seconds.",
            "Wait that long, then send the request again.";
        SessionLimitExceeded: Critical,
            "The session was not created because the maximum number of sessions is reached.",
            "Close sessions that are no longer used, or wait until they expire, then try again.";
        Success: Ok,
            "The request was carried out.",
            "None.";
        UnrecognizedRequestBody: Warning,
            "The body of the request is JSON, but not an object.",
            "Send a JSON object.";
    }
}
