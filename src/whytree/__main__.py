from whytree.site.cli import main

main()
