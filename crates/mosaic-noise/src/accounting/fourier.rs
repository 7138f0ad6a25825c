use std::{f64::consts::TAU, ops};

/// A complex number, as far as a transform needs one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) const ONE: Self = Self { re: 1.0, im: 0.0 };

    /// To a whole power, by squaring.
    pub(super) fn power(self, mut times: u32) -> Self {
        let (mut result, mut base) = (Self::ONE, self);
        while times > 0 {
            if times & 1 == 1 {
                result = result * base;
            }
            base = base * base;
            times >>= 1;
        }
        result
    }

    const fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }
}

impl ops::Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

impl ops::Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl ops::Sub for Complex {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

/// The discrete Fourier transform of real values; their number is a power of two.
pub(super) fn transform(values: &[f64]) -> Vec<Complex> {
    halves(&values.iter().map(|re| Complex { re: *re, im: 0.0 }).collect::<Vec<_>>())
}

/// The real part of the inverse.
pub(super) fn inverse(spectrum: &[Complex]) -> Vec<f64> {
    let turned: Vec<Complex> = spectrum.iter().map(|value| value.conjugate()).collect();
    #[expect(clippy::cast_precision_loss, reason = "at most 2^16")]
    let length = spectrum.len() as f64;
    halves(&turned).into_iter().map(|value| value.re / length).collect()
}

/// Cooley and Tukey: even and odd places apart.
fn halves(values: &[Complex]) -> Vec<Complex> {
    if values.len() <= 1 {
        return values.to_vec();
    }
    let even = halves(&values.iter().copied().step_by(2).collect::<Vec<_>>());
    let odd = halves(&values.iter().copied().skip(1).step_by(2).collect::<Vec<_>>());
    #[expect(clippy::cast_precision_loss, reason = "at most 2^16")]
    let turn = |at: usize| -TAU * at as f64 / values.len() as f64;
    let turned: Vec<Complex> = (0..)
        .zip(odd)
        .map(|(at, odd)| {
            let (im, re) = turn(at).sin_cos();
            Complex { re, im } * odd
        })
        .collect();
    let both = || even.iter().zip(&turned);
    both().map(|(even, odd)| *even + *odd).chain(both().map(|(even, odd)| *even - *odd)).collect()
}
