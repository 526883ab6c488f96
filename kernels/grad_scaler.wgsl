// Dynamic loss scaling (Micikevicius et al. 2018, section 3.2), decided on the device: one invocation.
// Powers of Adam's betas lie here because steps that are left out do not count in them.
struct Params {
  growth: f32, backoff: f32, least: f32, most: f32, interval: f32, beta1: f32, beta2: f32,
}
struct Scaling {
  scale: f32, // of the next loss
  good: f32, // steps since the scale changed
  power1: f32, power2: f32, // beta1^t, beta2^t
  factor: f32, // of the gradients at hand: 1 / their scale, or 0 if one of them is not finite
}
@group(0) @binding(0) var<storage, read_write> bad: array<u32>; // one flag, set by finite.wgsl
@group(0) @binding(1) var<storage, read_write> scaling: Scaling;
@group(0) @binding(2) var<uniform> p: Params;
@group(0) @binding(3) var<storage, read_write> flags: array<u32>; // the first: no scale is small enough

@compute @workgroup_size(1)
fn main() {
  if (bad[0] != 0) {
    scaling.factor = 0;
    scaling.scale *= p.backoff;
    scaling.good = 0;
    bad[0] = 0;
    if (scaling.scale < p.least) { flags[0] = 1; }
    return;
  }
  scaling.factor = 1 / scaling.scale;
  scaling.power1 *= p.beta1;
  scaling.power2 *= p.beta2;
  scaling.good += 1;
  if (scaling.good >= p.interval) {
    scaling.scale = min(scaling.scale * p.growth, p.most);
    scaling.good = 0;
  }
}
