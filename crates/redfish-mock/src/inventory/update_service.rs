//! The maximum size of a firmware image.

/// The default of [`Settings::max_image`](crate::Settings::max_image).
pub(crate) const DEFAULT_MAX_IMAGE: u64 = 4 << 30;
