//! Numbers are unpredictable: whoever knows a million of them knows nothing about the next.
//!
//! Seeded, so the outcome never changes. Every test is also turned against a bad generator of the kind
//! that was found in the field (a counter with random digits at the end), to show that it can fail.

use std::collections::HashSet;

use vault::{CardNumber, IssuerPrefix, OsRandomness, Pin, PredictableRandomness, Randomness};

const PREFIX: &str = "9588";
const BODY_DIGITS: usize = 11;
const SAMPLE: usize = 1_000_000;

/// Chi-square with 9, and with 99, degrees of freedom exceeds this once in 10^9 times.
const CHI_SQUARE_9: f64 = 61.0;
const CHI_SQUARE_99: f64 = 208.0;

type Body = [u8; BODY_DIGITS];

fn body_of(text: &str) -> Body {
    let digits: Body = text.as_bytes().try_into().expect("eleven digits");
    digits.map(|digit| digit - b'0')
}

fn bodies(count: usize, random: &mut impl Randomness) -> Vec<Body> {
    let prefix = IssuerPrefix::parse(PREFIX).expect("a good prefix");
    (0..count)
        .map(|_| {
            let number = CardNumber::generate(&prefix, 16, random).expect("a good length");
            body_of(&number.expose()[4..15])
        })
        .collect()
}

/// A counter with four random digits behind it, as an emptied retailer's cards had.
fn sequential_bodies(count: usize) -> Vec<Body> {
    let mut random = PredictableRandomness::from_seed(99);
    (0..count).map(|n| body_of(&format!("{:07}{:04}", 1_234_567 + n, random.below(10_000)))).collect()
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("a small count"))
}

fn chi_square(observed: &[usize], expected: f64) -> f64 {
    observed.iter().map(|&count| (float(count) - expected).powi(2) / expected).sum()
}

/// The worst position's chi-square against equally likely digits.
fn worst_digit_bias(bodies: &[Body]) -> f64 {
    let bias = |position: usize| {
        let mut counts = [0; 10];
        for body in bodies {
            counts[usize::from(body[position])] += 1;
        }
        chi_square(&counts, float(bodies.len()) / 10.0)
    };
    (0..BODY_DIGITS).map(bias).fold(0.0, f64::max)
}

/// The worst pair of positions' chi-square of a digit together with a digit of the number before it,
/// against all 100 combinations being equally likely.
fn worst_dependence_on_predecessor(bodies: &[Body]) -> f64 {
    let mut worst = 0.0_f64;
    for from in 0..BODY_DIGITS {
        for to in 0..BODY_DIGITS {
            let mut counts = [0; 100];
            for pair in bodies.windows(2) {
                counts[usize::from(pair[0][from]) * 10 + usize::from(pair[1][to])] += 1;
            }
            worst = worst.max(chi_square(&counts, float(bodies.len() - 1) / 100.0));
        }
    }
    worst
}

/// Guesses each digit from all numbers seen so far (what most often followed the digit before, at this
/// place), and says how far above one in ten it hit, in standard deviations.
fn predictor_advantage(bodies: &[Body]) -> f64 {
    let mut followers = vec![[[0_u32; 10]; 10]; BODY_DIGITS];
    let mut hits = 0;
    for pair in bodies.windows(2) {
        for position in 0..BODY_DIGITS {
            let seen = &mut followers[position][usize::from(pair[0][position])];
            let likeliest = (0..10).max_by_key(|&digit| seen[digit]).expect("ten digits");
            let actual = usize::from(pair[1][position]);
            hits += usize::from(likeliest == actual);
            seen[actual] += 1;
        }
    }
    let guesses = float((bodies.len() - 1) * BODY_DIGITS);
    (float(hits) - guesses * 0.1) / (guesses * 0.1 * 0.9).sqrt()
}

/// How often the commonest step from one number to the next occurs, looking at the leading digits.
fn commonest_step(bodies: &[Body]) -> usize {
    let leading = |body: &Body| body[..7].iter().fold(0_i64, |value, &digit| value * 10 + i64::from(digit));
    let mut steps: Vec<i64> = bodies.windows(2).map(|pair| leading(&pair[1]) - leading(&pair[0])).collect();
    steps.sort_unstable();
    steps.chunk_by(|left, right| left == right).map(<[i64]>::len).max().unwrap_or(0)
}

#[test]
fn a_million_numbers_predict_nothing() {
    let bodies = bodies(SAMPLE, &mut PredictableRandomness::from_seed(20_261_122));
    let bias = worst_digit_bias(&bodies);
    assert!(bias < CHI_SQUARE_9, "a digit is likelier than others: {bias}");
    let advantage = predictor_advantage(&bodies);
    assert!(advantage < 5.0, "the predictor hits {advantage} standard deviations above chance");
    // Steps spread over 2 * 10^7 values, a mean of at most 0.1 for the commonest: ten alike would be a pattern.
    let step = commonest_step(&bodies);
    assert!(step < 10, "one step between numbers occurs {step} times");
}

#[test]
fn a_number_does_not_depend_on_the_one_before() {
    let bodies = bodies(100_000, &mut PredictableRandomness::from_seed(5));
    let dependence = worst_dependence_on_predecessor(&bodies);
    assert!(dependence < CHI_SQUARE_99, "a digit follows from the number before: {dependence}");
}

#[test]
fn numbers_of_the_system_generator_are_even_too() {
    let bodies = bodies(100_000, &mut OsRandomness::new());
    assert!(worst_digit_bias(&bodies) < CHI_SQUARE_9 + 10.0);
    assert!(predictor_advantage(&bodies) < 7.0);
    assert!(commonest_step(&bodies) < 8);
}

#[test]
fn a_counter_with_random_digits_is_found_out() {
    let bodies = sequential_bodies(100_000);
    assert!(worst_digit_bias(&bodies) > 1000.0);
    assert!(worst_dependence_on_predecessor(&bodies) > 1000.0);
    assert!(predictor_advantage(&bodies) > 100.0);
    assert!(commonest_step(&bodies) > 1000);
}

#[test]
fn twins_come_no_more_often_than_chance() {
    // 100,000 draws among 10^7: n(n-1)/2 pairs, each equal with 10^-7, so 500 expected, deviation 22.
    let prefix = IssuerPrefix::parse("95883456").expect("a good prefix");
    let mut random = PredictableRandomness::from_seed(11);
    let mut seen = HashSet::new();
    let twins = (0..100_000)
        .filter(|_| {
            let number = CardNumber::generate(&prefix, 16, &mut random).expect("a good length");
            !seen.insert(number.expose().to_owned())
        })
        .count();
    assert!((380..=620).contains(&twins), "{twins} twins where 500 are expected");
}

#[test]
fn pins_are_even_at_every_place() {
    let mut random = PredictableRandomness::from_seed(12);
    let mut counts = [[0; 10]; 6];
    for _ in 0..100_000 {
        let pin = Pin::generate(&mut random);
        for (place, digit) in pin.expose().bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
    }
    for (place, count) in counts.iter().enumerate() {
        let bias = chi_square(count, 10_000.0);
        assert!(bias < CHI_SQUARE_9, "place {place}: {bias}");
    }
}
