// Exponential and logarithm for $F from arithmetic alone: drivers' own lose digits (log near 1 is off by
// thousands of ulp) and some turn NaN into numbers. NaN stays NaN here, and infinities are right. The
// bounds are those of exact_test.ts, with division rounded to nearest.

// e^x, within 2 ulp where it is no denormal. Cody and Waite: x = n log 2 + r with |r| <= log(2) / 2.
fn exact_exp(x: $F) -> $F {
  let held = select(select(x, $F(89), x > $F(89)), $F(-104), x < $F(-104));
  let n = round(held * 1.44269504f);
  let r = (held - n * 0.693359375f) + n * 2.12194440e-4f; // the first product is exact
  let q = 1 / 24f + r * (1 / 120f + r * (1 / 720f + r * (1 / 5040f)));
  let m = 1 + (r + r * r * (0.5f + r * (1 / 6f + r * q)));
  // 2^n in two factors, as n is up to 128 and down to -150
  let low = $I(n) >> $U(1);
  return m * power_of_2(low) * power_of_2($I(n) - low);
}
fn power_of_2(n: $I) -> $F { return bitcast<$F>((n + $I(127)) << $U(23)); }

// log(1 + x) for x in [-0.3, 1], within 2 ulp: 2 atanh(s) with s = x / (2 + x), written so that an error
// of s counts little
fn log1p(x: $F) -> $F {
  let s = x / (2 + x);
  let z = s * s;
  let far = 2 / 9f + z * (2 / 11f + z * (2 / 13f + z * (2 / 15f)));
  let rest = z * (2 / 3f + z * (2 / 5f + z * (2 / 7f + z * far)));
  let half = 0.5f * x * x;
  return x - (half - s * (half + rest));
}

// log(x), within 2 ulp: x = m 2^k with m in [sqrt(1/2), sqrt(2))
fn exact_log(x: $F) -> $F {
  let denormal = x < $F(0x1p-126f);
  let bits = bitcast<$U>(select(x, x * 0x1p24f, denormal));
  let k = bitcast<$I>(bits - $U(0x3f3504f3u)) >> $U(23);
  let m = bitcast<$F>(bits - bitcast<$U>(k << $U(23)));
  let n = $F(k) - select($F(), $F(24), denormal);
  let value = n * 0.693138122558594f + (n * 9.05800061445916e-6f + log1p(m - 1));
  // By bits: NaN of NaN and of negative numbers, -infinity of 0, infinity of infinity
  let own = bitcast<$U>(x);
  let beyond = select(x, bitcast<$F>(own | $U(0x7fc00000u)), own > $U(0x7f800000u));
  let special = select(value, beyond, own >= $U(0x7f800000u));
  return select(special, bitcast<$F>(own | $U(0xff800000u)), (own & $U(0x7fffffffu)) == $U());
}
