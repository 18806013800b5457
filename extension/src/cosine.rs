//! How similar the vectors of a store are to a question: what pgvector's `<=>` answers, without a call for each.
//!
//! In memory: varlena header (4 bytes), int16 dimensions, int16 unused, then a number of two bytes (`halfvec`) or of four
//! (`vector`) for each dimension. Sums are taken in numbers of four bytes, as pgvector takes them; theirs and ours can
//! differ in the last digits, because they add in another order.

use std::slice;

/// Bytes before the first number.
const HEADER: usize = 8;

/// Sums that are taken side by side, so that the processor need not wait for one before it goes on with the next.
const LANES: usize = 32;

/// The products with the question, and with itself, summed.
type Sums = (f32, f32);

/// Ways to take them, of numbers of two bytes and of four.
type Ways = (fn(&[f32], &[u16]) -> Sums, fn(&[f32], &[f32]) -> Sums);

/// What vectors are compared with, brought to length 1, so that no product is too large or too small.
pub struct Question {
    numbers: Vec<f32>,
    /// Theirs, which rounding has made not quite 1.
    length: f64,
    halves: fn(&[f32], &[u16]) -> Sums,
    floats: fn(&[f32], &[f32]) -> Sums,
}

impl Question {
    /// An embedding that has a direction.
    pub fn new(embedding: &[f32]) -> Self {
        Question::by(embedding, best())
    }

    /// Without what only this processor can do.
    #[cfg(any(test, feature = "pg_test"))]
    pub fn on_any(embedding: &[f32]) -> Self {
        Question::by(embedding, (halves, floats))
    }

    fn by(embedding: &[f32], (halves, floats): Ways) -> Self {
        let to_one = 1.0 / length(embedding);
        let numbers: Vec<f32> = embedding.iter().map(|x| (f64::from(*x) * to_one) as f32).collect();
        Question { length: length(&numbers), numbers, halves, floats }
    }

    /// The distance less 1, as the statements have it: minus the similarity. No number where the vector has no direction.
    ///
    /// # Safety
    /// A detoasted `halfvec` or `vector` of so many bytes.
    #[allow(unsafe_code)]
    pub unsafe fn rank(&self, vector: *const u8, bytes: usize) -> f64 {
        let count = self.numbers.len();
        // SAFETY: as many bytes as the vector has; Postgres aligns it to 4 bytes.
        unsafe {
            let numbers = vector.add(HEADER);
            match bytes.checked_sub(HEADER) {
                Some(size) if size == 2 * count => {
                    self.of_halves(slice::from_raw_parts(numbers.cast(), count))
                }
                Some(size) if size == 4 * count => {
                    self.of_floats(slice::from_raw_parts(numbers.cast(), count))
                }
                _ => panic!("a vector of {bytes} bytes is stored, where one of {count} dimensions should be"),
            }
        }
    }

    /// The same of the numbers of a `halfvec`.
    pub fn of_halves(&self, numbers: &[u16]) -> f64 {
        self.rank_of((self.halves)(&self.numbers, numbers))
    }

    /// The same of the numbers of a `vector`.
    pub fn of_floats(&self, numbers: &[f32]) -> f64 {
        self.rank_of((self.floats)(&self.numbers, numbers))
    }

    fn rank_of(&self, (dot, square): Sums) -> f64 {
        let similarity = f64::from(dot) / (f64::from(square).sqrt() * self.length);
        (1.0 - similarity.clamp(-1.0, 1.0)) - 1.0
    }
}

fn length(numbers: &[f32]) -> f64 {
    const LANES: usize = 8;
    let (parts, last) = numbers.as_chunks::<LANES>();
    let mut squares = [0f64; LANES];
    for part in parts {
        for lane in 0..LANES {
            squares[lane] += f64::from(part[lane]) * f64::from(part[lane]);
        }
    }
    let last: f64 = last.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    (squares.iter().sum::<f64>() + last).sqrt()
}

/// The quickest that this processor knows.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn best() -> Ways {
    let has_all = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    match has_all {
        // SAFETY: the processor can do it.
        true => (|q, v| unsafe { wide::halves(q, v) }, |q, v| unsafe { wide::floats(q, v) }),
        false => (halves, floats),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Ways {
    (halves, floats)
}

/// On any processor.
fn halves(question: &[f32], vector: &[u16]) -> Sums {
    sums(question, vector, number)
}

/// On any processor.
fn floats(question: &[f32], vector: &[f32]) -> Sums {
    sums(question, vector, |number| number)
}

#[inline(always)]
fn sums<T: Copy>(question: &[f32], vector: &[T], number: impl Fn(T) -> f32) -> Sums {
    let (mut dots, mut squares) = ([0f32; LANES], [0f32; LANES]);
    let ((asked, last_asked), (stored, last)) = (question.as_chunks::<LANES>(), vector.as_chunks::<LANES>());
    for (asked, stored) in asked.iter().zip(stored) {
        for lane in 0..LANES {
            let number = number(stored[lane]);
            dots[lane] += number * asked[lane];
            squares[lane] += number * number;
        }
    }
    for (lane, (asked, stored)) in last_asked.iter().zip(last).enumerate() {
        let number = number(*stored);
        dots[lane] += number * asked;
        squares[lane] += number * number;
    }
    (dots.iter().sum(), squares.iter().sum())
}

/// A finite number of two bytes: exponent and digits moved to their places, and the exponents' difference multiplied in,
/// which also serves those that are smaller than the smallest exponent.
fn number(half: u16) -> f32 {
    const TWO_TO_THE_112TH: f32 = f32::from_bits((112 + 127) << 23);
    let magnitude = f32::from_bits(u32::from(half & 0x7fff) << 13) * TWO_TO_THE_112TH;
    f32::from_bits(magnitude.to_bits() | u32::from(half & 0x8000) << 16)
}

/// By instructions that take eight numbers at once, and read those of two bytes.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{LANES, Sums, sums};
    use std::arch::x86_64::{
        __m256, _mm_loadu_si128, _mm256_add_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_setzero_ps, _mm256_storeu_ps,
    };

    /// Numbers in an instruction.
    const WIDTH: usize = 8;

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn floats(question: &[f32], vector: &[f32]) -> Sums {
        sums(question, vector, |number| number)
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    #[allow(unsafe_code)]
    pub fn halves(question: &[f32], vector: &[u16]) -> Sums {
        let mut dots = [_mm256_setzero_ps(); LANES / WIDTH];
        let mut squares = dots;
        let ((asked, last_asked), (stored, last)) =
            (question.as_chunks::<LANES>(), vector.as_chunks::<LANES>());
        for (asked, stored) in asked.iter().zip(stored) {
            for part in 0..LANES / WIDTH {
                // SAFETY: eight numbers of each, inside of the chunk.
                let (number, asked) = unsafe {
                    let stored = _mm_loadu_si128(stored.as_ptr().add(part * WIDTH).cast());
                    (_mm256_cvtph_ps(stored), _mm256_loadu_ps(asked.as_ptr().add(part * WIDTH)))
                };
                dots[part] = _mm256_fmadd_ps(number, asked, dots[part]);
                squares[part] = _mm256_fmadd_ps(number, number, squares[part]);
            }
        }
        let (dot, square) = (total(dots), total(squares));
        if last.is_empty() {
            return (dot, square);
        }
        let rest = super::halves(last_asked, last);
        (dot + rest.0, square + rest.1)
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    #[allow(unsafe_code)]
    fn total(parts: [__m256; LANES / WIDTH]) -> f32 {
        let [first, second, third, fourth] = parts;
        let whole = _mm256_add_ps(_mm256_add_ps(first, second), _mm256_add_ps(third, fourth));
        let mut lanes = [0f32; WIDTH];
        // SAFETY: room for eight numbers.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), whole) };
        let [a, b, c, d, e, f, g, h] = lanes;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }
}
