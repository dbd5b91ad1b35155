//! Characters that are there without being seen.

/// Whether a character shows nothing by itself, or changes the order of others: format characters, marks of direction, joiners,
/// variation selectors and tags. Control characters are not among them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        // Soft hyphen, Arabic letter mark.
        '\u{ad}' | '\u{61c}'
        // Zero width, marks of direction, separators of lines and paragraphs, overrides and isolates.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Fillers, joiners and variation selectors.
        | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        // Marks that precede numbers and words: Arabic, Syriac, Kaithi.
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}'
        // Format characters of hieroglyphs and shorthand, Khitan filler.
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{16fe4}'
        // Annotations, musical beams and null note head, tags.
        | '\u{fff0}'..='\u{fffb}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
