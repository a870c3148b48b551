package conformancetest

var probePluginVariants = []*variant{}
