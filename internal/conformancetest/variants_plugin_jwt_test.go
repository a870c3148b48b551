package conformancetest

var jwtPluginVariants = []*variant{}
