//! GET of the event stream.

use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::subscriptions::limit_exceeded;
use crate::inventory;
use crate::protocol::date::date_time;
use crate::protocol::event_filter::parse_stream_query;
use crate::protocol::message::Base;
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Response};
use crate::state::State;

/// Opens a stream, which resumes after the `Last-Event-ID` of the request. A HEAD does not open a stream.
pub(super) fn open(state: &mut State, request: &Request<'_>, now: Duration) -> Response {
    if !request.accepts("text/event-stream") {
        let name = header::ACCEPT;
        return Response::error(StatusCode::NOT_ACCEPTABLE, Base::HeaderInvalid, [name.as_str()]);
    }
    let filter = match parse_stream_query(request.uri.query().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(error) => return *error,
    };
    let mut response = Response::new(StatusCode::OK, Content::Empty);
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    if request.method == Method::HEAD {
        return response;
    }
    let Some(stream) = state.events.open_stream(filter, now) else { return limit_exceeded() };
    if let Some(last) = request.headers.get("last-event-id") {
        state.events.replay(stream, last.to_str().unwrap_or_default().trim(), now, state.profile);
    }
    state.events.send_initial(stream, metric_report(state, now), now, state.profile);
    response.stream = Some(stream);
    response
}

/// A report of the power consumption of all machines.
fn metric_report(state: &State, now: Duration) -> Value {
    let time = date_time(now);
    let metric = |id: &str| {
        let path = format!("/redfish/v1/Chassis/{id}/Sensors/TotalPower");
        let reading = state.tree.document(&path)?["Reading"].to_string();
        Some(json!({
            "MetricId": format!("TotalPower {id}"),
            "MetricProperty": format!("{path}#/Reading"),
            "MetricValue": reading,
            "Timestamp": time,
        }))
    };
    let values: Vec<Value> = inventory::machine_ids().filter_map(metric).collect();
    json!({
        "@odata.type": "#MetricReport.v1_5_1.MetricReport",
        "Id": "TotalPower",
        "Name": "Power consumption of the machines",
        "Timestamp": time,
        "MetricValues": values,
    })
}
