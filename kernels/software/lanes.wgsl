  // The first column (in vec4) and row of an invocation. Workgroups have one axis,
  // which is the only one that the software device vectorises along. Uniform values do
  // not depend on l, so that their loads are uniform, too.
#if WX == 1
  let lx = 0u;
#else
  let lx = l.x % $WX;
#end
  let col = g % p.colGroups * ${WX * NV} + lx;
#if WY == 1
  let ly = 0u;
#else
  let ly = l.x / $WX % $WY;
#end
  let row = (g / p.colGroups % p.rowGroups * $WY + ly) * $MR;
