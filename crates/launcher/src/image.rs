//! Compiled code that is part of the program: what `FOREARM_IMAGE` named when it was built.

#[cfg(forearm_image)]
mod embedded {
    /// Page-aligned, and with its pages to itself.
    #[repr(C, align(4096))]
    struct Pages<T: ?Sized>(T);

    static PAGES: &Pages<[u8]> = &Pages(*include_bytes!(env!("FOREARM_IMAGE")));
    const _: () =
        assert!(PAGES.0.len().is_multiple_of(4096), "the file that FOREARM_IMAGE names is not a whole image");
    pub const IMAGE: Option<&[u8]> = Some(&PAGES.0);
}

/// The image, if this program was built with one.
#[cfg(forearm_image)]
pub const IMAGE: Option<&[u8]> = embedded::IMAGE;
/// The image, if this program was built with one.
#[cfg(not(forearm_image))]
pub const IMAGE: Option<&[u8]> = None;
