// What all gathers share: which pixels of A and which taps of B a sum goes over, and where it is stored.
#part params
struct Params {
  rows: u32, TY: u32, TX: u32, S: u32, E: u32, kh: u32, kw: u32, pad: u32, top: u32, left: u32,
  H: u32, W: u32, OC: u32, I4: u32, rowGroups: u32, colGroups: u32, images: u32,
  A_rows: u32, A_width: u32, B_rows: u32, B_width: u32, scale: f32, slope: f32,
  A_columns: u32, parts: u32, perPart: u32, pixels: u32,
}

#part class
  // Which product, class and part of the sum workgroup g serves, and where the windows of that begin.
  let every = g / (p.colGroups * p.rowGroups); let z = every / p.parts; let part = every % p.parts;
  if (z >= p.images * p.E * p.E) { return; }
  let class_ = z % (p.E * p.E); let image = z / (p.E * p.E);
  let cy = class_ / p.E; let cx = class_ % p.E;
#if TRANSPOSED
  let ry = (cy + p.pad) % p.E; let rx = (cx + p.pad) % p.E;
  let tapsY = select(0u, (p.kh - ry + p.E - 1) / p.E, ry < p.kh);
  let tapsX = select(0u, (p.kw - rx + p.E - 1) / p.E, rx < p.kw);
  let y0 = p.top + (cy + p.pad) / p.E + 1 - tapsY; let x0 = p.left + (cx + p.pad) / p.E + 1 - tapsX;
#else
  let tapsY = p.kh; let tapsX = p.kw;
  let y0 = p.top - p.pad; let x0 = p.left - p.pad;
#end

#part row
  // The window in A of row m$r of the product
  let ix$r = m$r % p.TX * p.S + x0; let iy$r = m$r / p.TX % p.TY * p.S + y0;
  let n$r = m$r / (p.TX * p.TY) + image;

#part tap
#if TRANSPOSED
  let tap = (ry + p.E * (tapsY - 1 - ty)) * p.kw + rx + p.E * (tapsX - 1 - tx) + image;
#else
  let tap = ty * p.kw + tx + image;
#end

#part result
    // Row m of the product is row `at` of y, if both exist.
    let h = m / p.TX % p.TY * p.E + cy; let w = m % p.TX * p.E + cx;
    let exists = m < p.rows && h < p.H && w < p.W;
    let at = ((m / (p.TX * p.TY) + image) * p.H + h) * p.W + w + part * p.pixels;
