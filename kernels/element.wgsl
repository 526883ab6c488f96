// The element type V of an array, and sums and maxima over its numbers: four at a time, or one.
#if VEC4
alias V = vec4f;
fn sum_of(v: V) -> f32 { return v.x + v.y + v.z + v.w; }
fn max_of(v: V) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn dot_of(a: V, b: V) -> f32 { return dot(a, b); }
#else
alias V = f32;
fn sum_of(v: V) -> f32 { return v; }
fn max_of(v: V) -> f32 { return v; }
fn dot_of(a: V, b: V) -> f32 { return a * b; }
#end
