//! What queries a service supports.

use serde_json::Value;

/// What queries a service offers: `ProtocolFeaturesSupported` of its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// `*`.
    pub expand_all: bool,
    /// `~`.
    pub expand_links: bool,
    /// `.`.
    pub expand_subordinate: bool,
    /// How many levels; 0 where `$levels` is not offered.
    pub levels: u32,
    /// `$select`.
    pub select: bool,
    /// `$filter`.
    pub filter: bool,
    /// `$top` and `$skip`.
    pub top_skip: bool,
    /// `only`.
    pub only: bool,
    /// `excerpt`.
    pub excerpt: bool,
    /// Whether it accepts a request before it has answered the previous one. It does unless it says otherwise.
    pub concurrent_requests: bool,
}

impl Default for Features {
    fn default() -> Features {
        Features::of(&Value::Null)
    }
}

impl Features {
    /// What a service root offers.
    pub fn of(root: &Value) -> Features {
        let offered = root.get("ProtocolFeaturesSupported");
        let flag =
            |holder: Option<&Value>, name: &str| holder.and_then(|h| h.get(name)?.as_bool()).unwrap_or(false);
        let expand = offered.and_then(|o| o.get("ExpandQuery"));
        let levels = expand.and_then(|e| e.get("MaxLevels")?.as_u64()).unwrap_or(1);
        Features {
            expand_all: flag(expand, "ExpandAll"),
            expand_links: flag(expand, "Links"),
            expand_subordinate: flag(expand, "NoLinks"),
            levels: if flag(expand, "Levels") { u32::try_from(levels).unwrap_or(u32::MAX) } else { 0 },
            select: flag(offered, "SelectQuery"),
            filter: flag(offered, "FilterQuery"),
            top_skip: flag(offered, "TopSkipQuery"),
            only: flag(offered, "OnlyMemberQuery"),
            excerpt: flag(offered, "ExcerptQuery"),
            concurrent_requests: offered
                .and_then(|o| o.get("MultipleHTTPRequests")?.as_bool())
                .unwrap_or(true),
        }
    }
}
