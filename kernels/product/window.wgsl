// Shared by all gathers: which pixels of A and which taps of B a sum goes over, and where it is stored.
#part params
struct Params {
  rows: u32, TY: u32, TX: u32, S: u32, E: u32, kh: u32, kw: u32, pad_y: u32, pad_x: u32, top: u32, left: u32,
  H: u32, W: u32, OC: u32, I4: u32, rowGroups: u32, colGroups: u32, images: u32,
  A_rows: u32, A_width: u32, B_rows: u32, B_width: u32, scale: f32, slope: f32,
  A_columns: u32, parts: u32, perPart: u32, pixels: u32,
}

#part class
  // Maps workgroup g to a product, a class and a part of the sum, and finds where its windows begin.
  let every = g / (p.colGroups * p.rowGroups); let z = every / p.parts; let part = every % p.parts;
  if (z >= p.images * p.E * p.E) { return; }
  let class_ = z % (p.E * p.E); let image = z / (p.E * p.E);
  let cy = class_ / p.E; let cx = class_ % p.E;
#if GROUPED
  // A group of channels in place of an image: where its texels of A and B begin, and its columns.
  let layer = 0u; let pitch = p.images * p.I4; let a_col0 = image * p.I4; let bias0 = image * p.OC / 4;
#if FLIPPED
  let bk0 = a_col0; let b_row0 = 0u; let b_col0 = 0u;
#else
  let b_row0 = ${TRANSPOSED ? 4 : 0} * a_col0; let b_col0 = ${TRANSPOSED ? 0 : 1} * image * (p.OC / 4);
#end
#else
  let layer = image; let pitch = p.I4; let a_col0 = 0u; let bias0 = 0u;
  let bk0 = 0u; let b_row0 = 0u; let b_col0 = 0u;
#end
#if TRANSPOSED
  let ry = (cy + p.pad_y) % p.E; let rx = (cx + p.pad_x) % p.E;
  let tapsY = select(0u, (p.kh - ry + p.E - 1) / p.E, ry < p.kh);
  let tapsX = select(0u, (p.kw - rx + p.E - 1) / p.E, rx < p.kw);
  let y0 = p.top + (cy + p.pad_y) / p.E + 1 - tapsY; let x0 = p.left + (cx + p.pad_x) / p.E + 1 - tapsX;
#else
  let tapsY = p.kh; let tapsX = p.kw;
  let y0 = p.top - p.pad_y; let x0 = p.left - p.pad_x;
#end

#part row
  // The window in A of row m$r of the product
  let ix$r = m$r % p.TX * p.S + x0; let iy$r = m$r / p.TX % p.TY * p.S + y0;
  let n$r = m$r / (p.TX * p.TY) + layer;

#part place
  // Row m of the product is at (mn, my, mx).
  var mx = m % p.TX; var my = m / p.TX % p.TY; var mn = m / (p.TX * p.TY);

#part next
      mx++;
      if (mx == p.TX) { mx = 0; my++; }
      if (my == p.TY) { my = 0; mn++; }

#part tap
#if TRANSPOSED
  let tap = (ry + p.E * (tapsY - 1 - ty)) * p.kw + rx + p.E * (tapsX - 1 - tx) + layer;
#else
  let tap = ty * p.kw + tx + layer;
#end

#part result
    // Row m of the product, which is at (mn, my, mx), is row `at` of y, if both exist.
    let h = my * p.E + cy; let w = mx * p.E + cx;
    let exists = m < p.rows && h < p.H && w < p.W;
    let pixel = ((mn + layer) * p.H + h) * p.W + w + part * p.pixels;
#if GROUPED
    let at = pixel * p.images + image;
#else
    let at = pixel;
#end
