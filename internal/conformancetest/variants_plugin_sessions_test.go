package conformancetest

var sessionsPluginVariants = []*variant{}
