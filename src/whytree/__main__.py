from whytree.site.start import main

main()
