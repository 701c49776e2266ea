"""To and from files, networkx, igraph and scipy; the networkx backend."""
