//! QR codes for terminals.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// A QR code of `text`, for terminals with dark or light background.
pub(crate) fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    Some(
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build(),
    )
}
