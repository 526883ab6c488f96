// The element type V of an array, vec4f or f32, with reductions over its numbers and leaky ReLU.
#if VEC4
alias V = vec4f;
alias VI = vec4i; // integers, as many
alias VU = vec4u;
fn sum_of(v: V) -> f32 { return v.x + v.y + v.z + v.w; }
fn max_of(v: V) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn dot_of(a: V, b: V) -> f32 { return dot(a, b); }
#else
alias V = f32;
alias VI = i32;
alias VU = u32;
fn sum_of(v: V) -> f32 { return v; }
fn max_of(v: V) -> f32 { return v; }
fn dot_of(a: V, b: V) -> f32 { return a * b; }
#end

// Leaky ReLU of x, and its gradient d where the result is y. Both pass NaN on. With slope 0 nothing is
// multiplied: 0 times infinity is NaN.
fn leaky_relu(x: V, slope: f32) -> V { return select(x, leak(x, slope), x < V()); }
fn leaky_gate(d: V, y: V, slope: f32) -> V { return select(d, leak(d, slope), y <= V()); }
fn leak(x: V, slope: f32) -> V { return select(slope * x, V(), slope == 0); }
