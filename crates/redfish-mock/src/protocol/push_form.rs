//! The form that pushes an image: `UpdateParameters` and `UpdateFile` (DSP0266, "Multipart HTTP push updates").

use super::image::{Image, ImageReader};
use super::multipart::{Multipart, Piece};
use super::payload::Payload;

/// The maximum size of `UpdateParameters` in bytes.
const MAX_PARAMETERS: usize = 1 << 20;
/// The maximum size of everything else than the image in bytes: the parameters, other parts, and the heads of all parts.
pub(crate) const MAX_OVERHEAD: u64 = 2 << 20;

/// Reads a form in chunks. The first part with a name counts. Of the image, only size and digest are kept.
pub(crate) struct PushForm {
    reader: Multipart,
    parts: Parts,
}

/// The parts that were read.
struct Parts {
    max_image: u64,
    current: Part,
    parameters: Option<Vec<u8>>,
    image: Option<Image>,
    is_too_large: bool,
}

/// The part that is being read.
enum Part {
    Parameters(Vec<u8>),
    Image(ImageReader),
    Other,
}

impl PushForm {
    pub(crate) fn new(boundary: &str, max_image: u64) -> PushForm {
        let parts =
            Parts { max_image, current: Part::Other, parameters: None, image: None, is_too_large: false };
        PushForm { reader: Multipart::new(boundary), parts }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let PushForm { reader, parts } = self;
        reader.push(chunk, &mut |piece| parts.receive(&piece));
    }

    /// Whether the image or the parameters exceed their limit.
    pub(crate) fn is_too_large(&self) -> bool {
        self.parts.is_too_large
    }

    /// The bytes that are kept.
    pub(crate) fn kept(&self) -> usize {
        let current = if let Part::Parameters(bytes) = &self.parts.current { bytes.capacity() } else { 0 };
        current + self.parts.parameters.as_ref().map_or(0, Vec::capacity)
    }

    /// The complete parts. A missing image is empty.
    pub(crate) fn finish(self) -> Payload {
        let Parts { parameters, image, .. } = self.parts;
        Payload::Push { parameters, image: image.unwrap_or_else(|| Image::new(b"")) }
    }
}

impl Parts {
    fn receive(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Part("UpdateParameters") if self.parameters.is_none() => {
                self.current = Part::Parameters(Vec::new());
            }
            Piece::Part("UpdateFile") if self.image.is_none() => {
                self.current = Part::Image(ImageReader::default());
            }
            Piece::Part(_) => self.current = Part::Other,
            Piece::Content(bytes) => match &mut self.current {
                Part::Parameters(kept) if kept.len() + bytes.len() <= MAX_PARAMETERS => {
                    kept.extend_from_slice(bytes);
                }
                Part::Parameters(_) => self.is_too_large = true,
                Part::Image(reader) => {
                    reader.push(bytes);
                    self.is_too_large |= reader.size() > self.max_image;
                }
                Part::Other => {}
            },
            Piece::End => match std::mem::replace(&mut self.current, Part::Other) {
                Part::Parameters(bytes) => self.parameters = Some(bytes),
                Part::Image(reader) => self.image = Some(reader.finish()),
                Part::Other => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, content: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    }

    fn read(form: &str, max_image: u64) -> PushForm {
        let mut reader = PushForm::new("x", max_image);
        form.as_bytes().chunks(5).for_each(|chunk| reader.push(chunk));
        reader
    }

    #[test]
    fn the_first_part_with_a_name_counts_and_an_incomplete_part_does_not() {
        let form = part("UpdateFile", "a") + &part("UpdateFile", "b") + &part("OemFile", "c") + "--x--";
        let Payload::Push { parameters, image } = read(&form, 9).finish() else { panic!("not an image") };
        assert_eq!((parameters, image), (None, Image::new(b"a")));
        let Payload::Push { image, .. } = read(form[..60].trim_end_matches('-'), 9).finish() else {
            panic!("not an image")
        };
        assert_eq!(image.size, 0);
    }

    #[test]
    fn the_limits_are_those_of_the_image_and_of_the_parameters() {
        let image = part("UpdateFile", "12345") + "--x--";
        assert!(!read(&image, 5).is_too_large());
        assert!(read(&image, 4).is_too_large());
        let parameters = |size: usize| part("UpdateParameters", &" ".repeat(size)) + "--x--";
        assert!(!read(&parameters(MAX_PARAMETERS), 5).is_too_large());
        let too_large = read(&parameters(4 * MAX_PARAMETERS), 5);
        assert!(too_large.is_too_large() && too_large.kept() <= 2 * MAX_PARAMETERS);
        let other = read(&(part("OemFile", &"x".repeat(1000)) + "--x--"), 5);
        assert_eq!((other.is_too_large(), other.kept()), (false, 0));
    }
}
