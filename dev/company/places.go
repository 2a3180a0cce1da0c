package company

// place is where people work and what people there are called. The names are
// common ones; the people are made up.
type place struct {
	site, country, zone string
	dial                string
	given, family       []string
}

// places range over every kind of name that breaks things (no Latin letters, one
// letter, apostrophes, particles, combining marks, letters that have no ASCII) and
// over zones from UTC-11 to UTC+14, with and without daylight saving, with half
// and quarter hours.
var places = []place{
	{
		"Berlin", "DE", "Europe/Berlin", "+49 30 5550",
		[]string{"Jürgen", "Anneliese", "Björn", "Sören", "Käthe", "Lena", "Max", "Zoë"},
		[]string{"Müller", "Weiß", "von der Heide", "Groß", "Meyer-Lüdenscheid", "Öztürk", "Schmidt", "Jäger"},
	},
	{
		"Kraków", "PL", "Europe/Warsaw", "+48 12 555",
		[]string{"Łukasz", "Żaneta", "Małgorzata", "Paweł", "Święta", "Jan", "Zofia", "Michał"},
		[]string{"Wójcik", "Kowalczyk", "Święcicki", "Żółtowska", "Nowak", "Łęcki", "Dąbrowska", "Zając"},
	},
	{
		"Dublin", "IE", "Europe/Dublin", "+353 1 555",
		[]string{"Siobhán", "Seán", "Niamh", "Aoife", "Conor", "Mary-Kate", "Pádraig", "Orla"},
		[]string{"O'Brien", "O’Connor", "Mac Giolla", "Ní Dhomhnaill", "Murphy", "FitzGerald", "D'Arcy", "Byrne"},
	},
	{
		"Reykjavík", "IS", "Atlantic/Reykjavik", "+354 555",
		[]string{"Þór", "Guðrún", "Ægir", "Sigríður", "Hrafnhildur", "Óðinn", "Jón", "Ásta"},
		[]string{"Þórsdóttir", "Jónsson", "Guðmundsdóttir", "Ólafsson", "Ægisson", "Sigurðardóttir", "Einarsson", "Ásgeirsson"},
	},
	{
		"Madrid", "ES", "Europe/Madrid", "+34 91 555",
		[]string{"José María", "Iñaki", "Núria", "Ángel", "María de los Ángeles", "Begoña", "Óscar", "Lucía"},
		[]string{"García López", "Núñez de la Fuente", "Ibáñez", "de la Cruz", "Muñoz", "Peña", "Güell", "Ruiz-Mateos"},
	},
	{
		"Αθήνα", "GR", "Europe/Athens", "+30 21 0555",
		[]string{"Γιώργος", "Ελένη", "Νίκος", "Αικατερίνη", "Δημήτρης", "Σοφία"},
		[]string{"Παπαδόπουλος", "Οικονόμου", "Γεωργίου", "Νικολαΐδης", "Βασιλείου", "Ζαχαρίας"},
	},
	{
		"Алматы", "KZ", "Asia/Almaty", "+7 727 555",
		[]string{"Әлия", "Нұрлан", "Дмитрий", "Ольга", "Ёлка", "Тимур"},
		[]string{"Қасымов", "Иванова", "Щукин", "Оспанова", "Жұмабаев", "Ким"},
	},
	{
		"İstanbul", "TR", "Europe/Istanbul", "+90 212 555",
		[]string{"İrem", "Işıl", "Çağla", "Oğuz", "Şule", "Ümit"},
		[]string{"Yıldız", "Çelik", "Şahin", "Öztürk", "Iğdır", "Gündüz"},
	},
	{
		"تونس", "TN", "Africa/Tunis", "+216 71 555",
		[]string{"محمد", "فاطمة", "يوسف", "مريم", "Amine", "Salma"},
		[]string{"بن علي", "الطرابلسي", "الحداد", "Ben Youssef", "Trabelsi", "Jaziri"},
	},
	{
		"Lagos", "NG", "Africa/Lagos", "+234 1 555",
		[]string{"Ọlámidé", "Chukwuemeka", "Àdùkẹ́", "Ngọzi", "Ṣọlá", "Ifeoma"},
		[]string{"Adéyẹmí", "Okonkwo", "Ọ̀ṣun", "Nwosu", "Bánkọ́lé", "Eze"},
	},
	{
		"Kathmandu", "NP", "Asia/Kathmandu", "+977 1 555",
		[]string{"Bishnu", "सीता", "Tenzing", "Maya", "राम", "Pasang"},
		[]string{"श्रेष्ठ", "Sherpa", "Gurung", "Thapa", "अधिकारी", "Rai"},
	},
	{
		"Bengaluru", "IN", "Asia/Kolkata", "+91 80 5555",
		[]string{"R", "Priya", "Venkata Subrahmanyam", "Ananya", "S. K.", "Lakshmi"},
		[]string{"Iyer", "Krishnan", "Rao", "Nair", "Venkataraghavan", "K"},
	},
	{
		"上海", "CN", "Asia/Shanghai", "+86 21 5555",
		[]string{"伟", "芳", "秀英", "Wei", "静", "Xiaoming"},
		[]string{"王", "李", "欧阳", "Zhang", "吕", "Wu"},
	},
	{
		"東京", "JP", "Asia/Tokyo", "+81 3 5555",
		[]string{"太郎", "さくら", "健一", "Yūko", "美咲", "Shōta"},
		[]string{"佐藤", "鈴木", "高橋", "Ōno", "渡邉", "Itō"},
	},
	{
		"서울", "KR", "Asia/Seoul", "+82 2 555",
		[]string{"민준", "서연", "지우", "Ji-woo", "현우", "Ha-eun"},
		[]string{"김", "이", "박", "Choi", "제갈", "Nam-gung"},
	},
	{
		"Hà Nội", "VN", "Asia/Ho_Chi_Minh", "+84 24 555",
		[]string{"Đức", "Thị Hồng", "Quang", "Ngọc Ánh", "Dũng", "Phương"},
		[]string{"Nguyễn", "Trần", "Đặng", "Phạm", "Vũ", "Đỗ"},
	},
	{
		"Lord Howe", "AU", "Australia/Lord_Howe", "+61 2 5550",
		[]string{"Jack", "Matilda", "Noah", "Charlotte", "Bluey", "Isla"},
		[]string{"Smith", "Nguyen", "Wilson", "Kelly", "Papadopoulos", "Brown"},
	},
	{
		"Kiritimati", "KI", "Pacific/Kiritimati", "+686 555",
		[]string{"Kabiri", "Nei Teiti", "Ioane", "Tinai", "Bwere", "Marewa"},
		[]string{"Bauro", "Tebano", "Teannaki", "Tokataake", "Itintaake", "Kaiea"},
	},
	{
		"Pago Pago", "AS", "Pacific/Pago_Pago", "+1 684 555",
		[]string{"Lolo", "Sina", "Fa'afetai", "Tala", "Manu", "Leilani"},
		[]string{"Faleafa", "Tuilagi", "Fa'alogo", "Leota", "Su'a", "Va'a"},
	},
	{
		"Honolulu", "US", "Pacific/Honolulu", "+1 808 555",
		[]string{"Kaʻiulani", "Keoni", "Leilani", "Makoa", "Pua", "Kai"},
		[]string{"Kealoha", "Kahananui", "Kāneʻohe", "Keʻalohi", "Lee", "Kalani"},
	},
	{
		"New York", "US", "America/New_York", "+1 212 555",
		[]string{"James", "Mary", "Latoya", "José", "Wei", "Zoe", "Null", "True"},
		[]string{"Smith", "Johnson", "McDonald", "De La Rosa", "Van Buren", "Null", "Lee", "St. John"},
	},
	{
		"St. John's", "CA", "America/St_Johns", "+1 709 555",
		[]string{"Gordon", "Bríd", "René", "Chloé", "Allan", "Noëlle"},
		[]string{"Tremblay", "L'Écuyer", "Côté", "Pike", "LeBlanc", "O'Dea"},
	},
	{
		"São Paulo", "BR", "America/Sao_Paulo", "+55 11 5555",
		[]string{"João", "Conceição", "Luís", "Antônia", "Thaís", "Thaísa"},
		[]string{"da Silva", "Gonçalves", "dos Santos", "Araújo", "Magalhães", "Sá"},
	},
	{
		"Santiago", "CL", "America/Santiago", "+56 2 5555",
		[]string{"Matías", "Antü", "Sofía", "Ñancu", "Ximena", "Benjamín"},
		[]string{"Muñoz", "Huenchullán", "Ñanculef", "Pérez Soto", "Bórquez", "Zúñiga"},
	},
}
