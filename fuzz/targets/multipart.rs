//! The body of an image push, parsed by another library.
#![no_main]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::header::CONTENT_TYPE;
use redfish_proto::driver::{Now, Payload, Segment, Step};
use redfish_proto::ops::{Image, PushUpdate};
use redfish_proto::{Identity, Service};

/// Input: four lengths, then the file name, the randomness of the boundary, a target, a vendor's part, and the image.
fn push(data: &[u8]) {
    let (lengths, rest) = data.split_at(data.len().min(4));
    let mut rest = rest;
    let mut take = |n: usize| {
        let length = usize::from(lengths.get(n).copied().unwrap_or_default()) % 40;
        let (taken, left) = rest.split_at(length.min(rest.len()));
        rest = left;
        taken.to_vec()
    };
    let name = String::from_utf8_lossy(&take(0)).into_owned();
    let randomness = take(1);
    let target = String::from_utf8_lossy(&take(2)).into_owned();
    let part = take(3);
    let image = Bytes::copy_from_slice(rest);

    let payload = Payload { length: image.len() as u64, replayable: false };
    let Ok(update) = PushUpdate::new(Image { name: name.clone(), payload }, &randomness) else { return };
    let update = update.targets([target.clone()]).part("OemPart", "application/octet-stream", part.clone());
    let update = update.expect("a media type");
    let service = Arc::new(Service::new("bmc.example").expect("a service"));
    let mut step = service.call(update).with_identity(Identity::anonymous(&service)).start(Now::default());
    for body in [r#"{"UpdateService": {"@odata.id": "/u"}}"#, r#"{"MultipartHttpPushUri": "/push"}"#] {
        let Step::Send(_, reply) = step else { panic!("it reads first") };
        step = reply.receive(http::Response::new(()).into_parts().0, Ok(body.into()), Now::default());
    }
    let Step::Send(outgoing, _reply) = step else { panic!("it pushes") };
    let body: Vec<u8> = outgoing
        .request
        .body()
        .segments()
        .flat_map(|segment| match segment {
            Segment::Bytes(bytes) => bytes,
            Segment::Payload(_) => image.clone(),
        })
        .collect();
    assert_eq!(outgoing.request.headers()["content-length"], body.len().to_string());
    let media_type = outgoing.request.headers()[CONTENT_TYPE].to_str().expect("text");
    let boundary = multer::parse_boundary(media_type).expect("a boundary");
    // The fuzzer may supply too little randomness, so a part can contain the boundary. Callers supply 16 bytes.
    let contains_boundary = |text: &[u8]| text.windows(boundary.len()).any(|w| w == boundary.as_bytes());
    if contains_boundary(&image)
        || contains_boundary(&part)
        || contains_boundary(target.as_bytes())
        || contains_boundary(name.as_bytes())
    {
        return;
    }
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
    let mut form = multer::Multipart::new(chunks, boundary);
    let mut next =
        || form.next_field().now_or_never().expect("the body is complete").expect("a well-formed part");
    let read = |field: Option<multer::Field<'_>>, name: &str, file: Option<&str>| {
        let field = field.unwrap_or_else(|| panic!("no part {name}"));
        assert_eq!((field.name(), field.file_name().is_some()), (Some(name), file.is_some()));
        field.bytes().now_or_never().expect("the body is complete").expect("its bytes")
    };
    let parameters: serde_json::Value =
        serde_json::from_slice(&read(next(), "UpdateParameters", None)).expect("JSON");
    assert_eq!(parameters["Targets"][0], target.as_str());
    assert_eq!(read(next(), "UpdateFile", Some(&name)), image);
    assert_eq!(read(next(), "OemPart", None), part);
    assert!(next().is_none());
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| push(data));
