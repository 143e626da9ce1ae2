//! The same in plain integers, after the manual's pseudocode (Armv8 F6, J1).

use forearm_frontend::machine::CryptoOp;

/// Product in AES's field, GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
const fn gf_mul(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a, b, 0);
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    product
}

/// AES's S-box and its inverse (FIPS 197, 5.1.1).
const SBOX: ([u8; 256], [u8; 256]) = {
    let (mut sbox, mut inverse) = ([0; 256], [0; 256]);
    // `x` runs through the field by powers of the generator 3, `y` through the inverses.
    let (mut x, mut y) = (1u8, 1u8);
    loop {
        sbox[x as usize] =
            0x63 ^ y ^ y.rotate_left(1) ^ y.rotate_left(2) ^ y.rotate_left(3) ^ y.rotate_left(4);
        x = gf_mul(x, 3);
        y = gf_mul(y, 0xf6);
        if x == 1 {
            break;
        }
    }
    sbox[0] = 0x63;
    let mut k = 0;
    while k < 256 {
        inverse[sbox[k] as usize] = k as u8;
        k += 1;
    }
    (sbox, inverse)
};

fn mix_columns(state: u128, factors: [u8; 4]) -> u128 {
    let old = state.to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|k| {
        let (column, row) = (k & !3, k & 3);
        (0..4).fold(0, |sum, j| sum ^ gf_mul(old[column + j], factors[(j + 4 - row) & 3]))
    }))
}

/// A column is four bytes; row r of column c comes from column c + r (forward) or c - r.
fn shift_and_substitute(state: u128, sbox: &[u8; 256], forward: bool) -> u128 {
    let old = state.to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|k| {
        let (column, row) = (k >> 2, k & 3);
        let from = if forward { column + row } else { column + 4 - row } & 3;
        sbox[usize::from(old[4 * from + row])]
    }))
}

fn words(x: u128) -> [u32; 4] {
    [0, 32, 64, 96].map(|s| (x >> s) as u32)
}

fn join(w: [u32; 4]) -> u128 {
    w.iter().rev().fold(0, |x, &w| x << 32 | u128::from(w))
}

fn choose(x: u32, y: u32, z: u32) -> u32 {
    ((y ^ z) & x) ^ z
}

fn parity(x: u32, y: u32, z: u32) -> u32 {
    x ^ y ^ z
}

fn majority(x: u32, y: u32, z: u32) -> u32 {
    x & y | (x | y) & z
}

fn sha1_rounds(abcd: u128, e: u32, wk: u128, f: fn(u32, u32, u32) -> u32) -> u128 {
    let ([mut a, mut b, mut c, mut d], mut e) = (words(abcd), e);
    for w in words(wk) {
        let t = e.wrapping_add(a.rotate_left(5)).wrapping_add(f(b, c, d)).wrapping_add(w);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, t);
    }
    join([a, b, c, d])
}

/// Four rounds; (abcd, efgh).
fn sha256_rounds(abcd: u128, efgh: u128, wk: u128) -> (u128, u128) {
    let ([mut a, mut b, mut c, mut d], [mut e, mut f, mut g, mut h]) = (words(abcd), words(efgh));
    for w in words(wk) {
        let big1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let big0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t = h.wrapping_add(big1).wrapping_add(choose(e, f, g)).wrapping_add(w);
        let t2 = big0.wrapping_add(majority(a, b, c));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t), c, b, a, t.wrapping_add(t2));
    }
    (join([a, b, c, d]), join([e, f, g, h]))
}

fn sha256_schedule0(w: u128, next: u128) -> u128 {
    let (w, following) = (words(w), words(w >> 32 | next << 96));
    join(std::array::from_fn(|k| {
        let x = following[k];
        w[k].wrapping_add(x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3)
    }))
}

fn sha256_schedule1(partial: u128, n: u128, m: u128) -> u128 {
    let small1 = |x: u32| x.rotate_right(17) ^ x.rotate_right(19) ^ x >> 10;
    let (partial, seven_back, last) = (words(partial), words(n >> 32 | m << 96), words(m));
    let mut w = [0; 4];
    for k in 0..4 {
        let two_back = if k < 2 { last[k + 2] } else { w[k - 2] };
        w[k] = small1(two_back).wrapping_add(partial[k]).wrapping_add(seven_back[k]);
    }
    join(w)
}

/// See `super::crypto`.
pub fn crypto(op: CryptoOp, d: u128, n: u128, m: u128) -> u128 {
    match op {
        CryptoOp::AesE => shift_and_substitute(d ^ m, &SBOX.0, true),
        CryptoOp::AesD => shift_and_substitute(d ^ m, &SBOX.1, false),
        CryptoOp::AesMc => mix_columns(m, [2, 3, 1, 1]),
        CryptoOp::AesImc => mix_columns(m, [14, 11, 13, 9]),
        CryptoOp::Sha1C => sha1_rounds(d, n as u32, m, choose),
        CryptoOp::Sha1P => sha1_rounds(d, n as u32, m, parity),
        CryptoOp::Sha1M => sha1_rounds(d, n as u32, m, majority),
        CryptoOp::Sha1H => (m as u32).rotate_left(30).into(),
        CryptoOp::Sha1Su0 => (d >> 64 | n << 64) ^ d ^ m,
        CryptoOp::Sha1Su1 => {
            let mut w = words(d ^ m >> 32).map(|x| x.rotate_left(1));
            w[3] ^= w[0].rotate_left(1);
            join(w)
        }
        CryptoOp::Sha256H => sha256_rounds(d, n, m).0,
        CryptoOp::Sha256H2 => sha256_rounds(n, d, m).1,
        CryptoOp::Sha256Su0 => sha256_schedule0(d, m),
        CryptoOp::Sha256Su1 => sha256_schedule1(d, n, m),
    }
}

/// Carry-less product.
pub fn pmull64(a: u64, b: u64) -> u128 {
    (0..64).filter(|k| b >> k & 1 != 0).fold(0, |sum, k| sum ^ u128::from(a) << k)
}
