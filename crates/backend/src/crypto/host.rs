//! The same on AES-NI, SHA-NI and PCLMULQDQ.

use super::{Function, crypto};
use forearm_frontend::machine::CryptoOp;
use std::arch::x86_64::*;

#[inline(always)]
pub fn to(x: u128) -> __m128i {
    // SAFETY: both are 128 bits in the same order, any bits are valid.
    unsafe { std::mem::transmute(x) }
}

#[inline(always)]
pub fn from(x: __m128i) -> u128 {
    // SAFETY: as above.
    unsafe { std::mem::transmute(x) }
}

/// # Safety
/// The host has AES-NI.
#[target_feature(enable = "aes,sse2")]
pub unsafe fn aes(op: CryptoOp, d: u128, m: u128) -> u128 {
    let zero = _mm_setzero_si128();
    from(match op {
        CryptoOp::AesE => _mm_aesenclast_si128(to(d ^ m), zero),
        CryptoOp::AesD => _mm_aesdeclast_si128(to(d ^ m), zero),
        // AESDECLAST undoes the byte substitution and row shift that AESENC does before it mixes.
        CryptoOp::AesMc => _mm_aesenc_si128(_mm_aesdeclast_si128(to(m), zero), zero),
        _ => _mm_aesimc_si128(to(m)),
    })
}

/// # Safety
/// The host has SHA-NI and SSE4.1.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
pub unsafe fn sha(op: CryptoOp, d: u128, n: u128, m: u128) -> u128 {
    let (d, n, m) = (to(d), to(n), to(m));
    from(match op {
        CryptoOp::Sha1C => sha1::<0>(d, n, m, 0x5a82_7999),
        CryptoOp::Sha1P => sha1::<1>(d, n, m, 0x6ed9_eba1),
        CryptoOp::Sha1M => sha1::<2>(d, n, m, 0x8f1b_bcdc_u32 as i32),
        CryptoOp::Sha256H => sha256(d, n, m).0,
        CryptoOp::Sha256H2 => sha256(n, d, m).1,
        CryptoOp::Sha256Su0 => _mm_sha256msg1_epu32(d, m),
        _ => {
            let seven_back = _mm_alignr_epi8::<4>(m, n);
            _mm_sha256msg2_epu32(_mm_add_epi32(d, seven_back), m)
        }
    })
}

/// SHA1RNDS4 has the words in the other order, adds the round constant, and takes E with the first word.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
fn sha1<const F: i32>(abcd: __m128i, e: __m128i, wk: __m128i, k: i32) -> __m128i {
    let e = _mm_slli_si128::<12>(e);
    let w = _mm_sub_epi32(_mm_shuffle_epi32::<0x1b>(wk), _mm_set1_epi32(k));
    let result = _mm_sha1rnds4_epu32::<F>(_mm_shuffle_epi32::<0x1b>(abcd), _mm_add_epi32(w, e));
    _mm_shuffle_epi32::<0x1b>(result)
}

/// SHA256RNDS2 keeps ABEF and CDGH, first word highest, and does two rounds.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
fn sha256(abcd: __m128i, efgh: __m128i, wk: __m128i) -> (__m128i, __m128i) {
    let dcba = _mm_shuffle_epi32::<0x1b>(abcd);
    let hgfe = _mm_shuffle_epi32::<0x1b>(efgh);
    let cdgh = _mm_unpacklo_epi64(hgfe, dcba);
    let abef = _mm_unpackhi_epi64(hgfe, dcba);
    let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
    let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_unpackhi_epi64(wk, wk));
    // The first result is ABEF after two rounds, hence CDGH after four.
    let dcba = _mm_unpackhi_epi64(cdgh, abef);
    let hgfe = _mm_unpacklo_epi64(cdgh, abef);
    (_mm_shuffle_epi32::<0x1b>(dcba), _mm_shuffle_epi32::<0x1b>(hgfe))
}

/// # Safety
/// The host has PCLMULQDQ.
#[target_feature(enable = "pclmulqdq,sse2")]
pub unsafe fn pmull64(a: u64, b: u64) -> u128 {
    from(_mm_clmulepi64_si128::<0>(to(a.into()), to(b.into())))
}

/// For hosts with SHA-NI and SSE4.1.
pub static FUNCTIONS: [Function; 14] = table! {
    AesE crypto; AesD crypto; AesMc crypto; AesImc crypto;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha1C sha;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha1P sha;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha1M sha;
    Sha1H crypto; Sha1Su0 crypto; Sha1Su1 crypto;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha256H sha;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha256H2 sha;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha256Su0 sha;
    #[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
    Sha256Su1 sha;
};
