  // The first column (in vec4, or single if flipped) and row of an invocation. Workgroups have one axis,
  // which is the only one that the software device vectorises along. What is the same for all lanes is
  // not made of l, so that its loads are found to be one.
#if WX == 1
  let lx = 0u;
#else
  let lx = l.x % $WX;
#end
  let col = g % p.colGroups * ${WX * COLUMNS} + lx;
#if WY == 1
  let ly = 0u;
#else
  let ly = l.x / $WX % $WY;
#end
  let row = (g / p.colGroups % p.rowGroups * $WY + ly) * $MR;
